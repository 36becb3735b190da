import JSONText
import Seals

// What is told of the book as JSON: the same fields whether a file is read or the daemon answers on its socket.

extension VerifyReport {
    public var json: JSONValue {
        .object([
            JSONValue.Member("valid", .bool(valid)), JSONValue.Member("entries", .integer(entries)),
            JSONValue.Member("head", .string(Hex.text(head.hash))), JSONValue.Member("epoch", .integer(head.epoch)),
            JSONValue.Member("seq", .integer(head.seq)), JSONValue.Member("first_bad", JSONValue(firstBad)),
            JSONValue.Member("reason", JSONValue(reason)),
        ])
    }
}

extension RestoreReport {
    public var json: JSONValue {
        [
            "backup": .string(backup), "entries": .integer(entries), "salvaged": .integer(salvaged),
            "fetched": .integer(fetched), "notes_lost": .integer(notesLost), "quarantine": .string(quarantine),
            "lossy": .bool(isLossy),
        ]
    }
}

extension ChainHead {
    public var json: JSONValue {
        .object([
            JSONValue.Member("epoch", .integer(epoch)), JSONValue.Member("seq", .integer(seq)),
            JSONValue.Member("hash", .string(Hex.text(hash))),
        ])
    }
}

extension [Customer] {
    /// What each owes. Personal: for the shop's own people.
    public var balancesJSON: JSONValue {
        .object([
            JSONValue.Member(
                "customers",
                .array(
                    map {
                        .object([
                            JSONValue.Member("name", .string($0.details.name)),
                            JSONValue.Member("balance_paise", .integer($0.balance.rawValue)),
                        ])
                    }))
        ])
    }
}

extension BookFacts {
    public var json: JSONValue {
        .object([
            JSONValue.Member("sqlite", .string(sqliteVersion)), JSONValue.Member("schema", .integer(schemaVersion)),
            JSONValue.Member("journal_mode", JSONValue(journalMode)),
            JSONValue.Member("synchronous", JSONValue(synchronous)),
            JSONValue.Member("page_bytes", .integer(pageBytes)), JSONValue.Member("pages", .integer(pages)),
            JSONValue.Member("free_pages", .integer(freePages)), JSONValue.Member("file_bytes", .integer(fileBytes)),
            JSONValue.Member("log_bytes", .integer(logBytes)), JSONValue.Member("integrity", .string(integrity)),
            JSONValue.Member("events", .integer(events)), JSONValue.Member("receipted_seq", .integer(receiptedSeq)),
            JSONValue.Member("waiting", .integer(waiting)),
            JSONValue.Member("backups", .array(backups.map { .string($0) })),
            JSONValue.Member("findings", .array(findings.map { .string($0) })),
        ])
    }
}
