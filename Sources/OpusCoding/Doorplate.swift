// OpusCoding
