// CloudLink
