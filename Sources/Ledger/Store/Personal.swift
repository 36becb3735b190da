import Seals

/// The personal part of one command, as sealed beside the journal: a salt and the data. The event holds only
/// SHA-256 of both, which says nothing once the salt is destroyed.
struct Memo {
    var salt: [UInt8]
    var data: CBORValue

    static let saltBytes = 16

    var commitment: [UInt8] { SHA256.digest(Array("execora/commitment/v1".utf8), salt, data.encoded) }

    func sealed(key: [UInt8], event: ULID) throws(BookError) -> [UInt8] {
        do {
            let plain = CBORValue.array([.bytes(salt), data]).encoded
            return try SealedBox.seal(plain, key: key, binding: event.bytes)
        } catch {
            throw .storage(code: 0, operation: "seal")
        }
    }

    init(salt: [UInt8], data: CBORValue) {
        self.salt = salt
        self.data = data
    }

    /// Nil when the box is damaged, of another event or of another key.
    init?(opening box: [UInt8], key: [UInt8], event: ULID) {
        guard let plain = try? SealedBox.open(box, key: key, binding: event.bytes),
            let fields = (try? CBORValue(decoding: plain))?.array, fields.count == 2, let salt = fields[0].bytes
        else { return nil }
        self.init(salt: salt, data: fields[1])
    }
}

/// What the book's memory holds of one customer: a decrypted copy, changed only after COMMIT.
struct Person {
    var id: CustomerID
    /// Nil when erased, or when the key cannot be opened here.
    var details: CustomerDetails?
    var aliases: [String] = []
    var isErased = false
    var key: [UInt8]?

    /// Folds one sealed command into the person.
    mutating func apply(_ type: Int64, _ data: CBORValue) {
        switch type {
        case Command.Code.createCustomer, Command.Code.updateCustomer: details = CustomerDetails(data) ?? details
        case Command.Code.addAlias:
            if let alias = data.text, !aliases.contains(alias) { aliases.append(alias) }
        case Command.Code.removeAlias: aliases.removeAll { $0 == data.text }
        default: break
        }
    }
}
