// Seals
