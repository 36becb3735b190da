// Conversation/Language: the shop's words. Text of either script enters, values leave: numbers, sums of money,
// telephone numbers, names judged alike, moments to remind at, sounds. Pure values; any thread; no clock of its own.
//
// Text/     what a reader sees as one, compares as one: folding, tokens, transliteration
// Numbers/  numbers, money and telephone numbers, heard and said
// Names/    how names sound, and who is meant
// Times/    when
//
// Largest it may hold: one utterance of `Tokens.scalarsMax` scalars; a matcher holds the names it was given.
