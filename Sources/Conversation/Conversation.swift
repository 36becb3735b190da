// Conversation: an utterance enters, entries are made through the book, an answer leaves.
// One owner, on the thread of the book; no clock, chance, network or file of its own (time and random numbers come in).
//
// Packs/     the grammar as text: word classes, intents, lines to speak; a linguist edits these, never Swift
// Language/  numbers, names, times, telephones of the shop's language
// Grammar/   packs are loaded and checked; an utterance is cut into pieces and becomes a request
// Dialogue/  requests become entries: gates, drafts, questions, corrections; state kept in the book
// Prompts/   the lines of one language, in Roman script with digits
// World/     a shop written down as JSON: seeding a book, replaying written cases
// CloudTurn/ what a turn says to the gateway and hears from it
//
// Largest it may hold: one utterance (`Utterance.scalarsMax`), one open question, four people spoken of, an index of
// the shop's names (some 200 bytes a word) and the packs (some 0.5 MB once loaded).
