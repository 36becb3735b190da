import Seals

/// How a customer's key lies in the book: a byte for the scheme, then the key bare (0) or sealed by the device (1).
struct KeyWrap {
    var wrappingKey: [UInt8]?
    /// Keys of the device that were in use before; they open, they do not seal.
    var formerKeys: [[UInt8]] = []

    private static let binding = Array("execora/customer-key/v1".utf8)

    init(wrappingKey: [UInt8]?, formerKeys: [[UInt8]] = []) {
        self.wrappingKey = wrappingKey
        self.formerKeys = formerKeys
    }

    init(_ configuration: LedgerConfiguration) {
        self.init(wrappingKey: configuration.wrappingKey, formerKeys: configuration.formerWrappingKeys)
    }

    func wrap(_ key: [UInt8]) throws(BookError) -> [UInt8] {
        guard let wrappingKey else { return [0] + key }
        do {
            return [1] + (try SealedBox.seal(key, key: wrappingKey, binding: Self.binding))
        } catch {
            throw .storage(code: 0, operation: "seal")
        }
    }

    /// Nil when this device's keys do not open it.
    func unwrap(_ stored: [UInt8]) -> [UInt8]? {
        switch stored.first {
        case 0 where stored.count == 1 + SealedBox.keyBytes: return Array(stored.dropFirst())
        case 1:
            for key in [wrappingKey].compactMap({ $0 }) + formerKeys {
                if let opened = try? SealedBox.open(Array(stored.dropFirst()), key: key, binding: Self.binding) {
                    return opened
                }
            }
            return nil
        default: return nil
        }
    }

    /// True when it lies as this device would store it today.
    func isCurrent(_ stored: [UInt8]) -> Bool {
        guard let wrappingKey else { return true }
        return stored.first == 1
            && (try? SealedBox.open(Array(stored.dropFirst()), key: wrappingKey, binding: Self.binding)) != nil
    }
}

extension LedgerStore {
    /// Seals what lies bare, or under a former key, with the device's key: in the book and in the backups beside it.
    /// One transaction a file; a cut leaves the old keys or the new ones, and the next start goes on. A backup that
    /// cannot be opened is left alone here.
    func wrapKeys() throws(BookError) {
        guard configuration.wrappingKey != nil, mode == .own else { return }
        let wrap = KeyWrap(configuration)
        let changed = try Self.wrapKeys(in: connection, wrap)
        guard let path else { return }
        for backup in Backups(book: path).paths {
            guard let copy = try? Connection(path: backup),
                (try? copy.script("PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;")) != nil
            else { continue }
            _ = try? Self.wrapKeys(in: copy, wrap)
        }
        // The pages with the bare keys leave the log too.
        if changed { _ = try connection.checkpoint() }
    }

    private static func wrapKeys(in connection: Connection, _ wrap: KeyWrap) throws(BookError) -> Bool {
        var old: [(customer: Int64, key: [UInt8])] = []
        try connection.run("SELECT customer, key FROM person") {
            let stored = $0.blob(1)
            if !wrap.isCurrent(stored), let key = wrap.unwrap(stored) { old.append(($0.integer(0), key)) }
        }
        guard !old.isEmpty else { return false }
        try connection.transaction { () throws(BookError) in
            for (customer, key) in old {
                try connection.run(
                    "UPDATE person SET key = ? WHERE customer = ?", [.blob(try wrap.wrap(key)), .integer(customer)])
            }
        }
        return true
    }
}
