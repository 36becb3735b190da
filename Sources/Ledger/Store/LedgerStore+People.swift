import Seals

// Personal data: sealed beside the journal under a key of each customer, destroyed with the key.

/// What one command seals, and under whose key.
struct Secret {
    var owner: CustomerID
    var key: [UInt8]
    var isNewKey: Bool
    var memo: Memo
}

extension LedgerStore {
    /// - Parameter owner: the customer concerned; nil seals for the shop.
    func secret(of command: Command, owner: CustomerID?) throws(BookError) -> Secret? {
        guard let data = command.personal else { return nil }
        let memo = Memo(salt: configuration.randomBytes(Memo.saltBytes), data: data)
        let owner = owner ?? Self.shopPerson
        if let key = owner == Self.shopPerson ? memory.shopKey : memory.people[owner]?.key {
            return Secret(owner: owner, key: key, isNewKey: false, memo: memo)
        }
        guard owner == Self.shopPerson || memory.people[owner] == nil else {
            throw .unavailable("the key of a customer cannot be opened on this device")
        }
        let key = configuration.randomBytes(SealedBox.keyBytes)
        return Secret(owner: owner, key: key, isNewKey: true, memo: memo)
    }

    /// Writes the sealed part, or destroys a key; inside the event's transaction.
    func keep(_ secret: Secret?, of entry: JournalEntry, at place: Place) throws(BookError) {
        if let secret {
            if secret.isNewKey {
                let stored = try KeyWrap(configuration).wrap(secret.key)
                try connection.run(
                    "INSERT INTO person VALUES(?,?)", [.integer(secret.owner.rawValue), .blob(stored)])
                if secret.owner == Self.shopPerson {
                    memory.shopKey = secret.key
                } else {
                    memory.people[secret.owner] = Person(id: secret.owner, key: secret.key)
                }
            }
            let isPerson = (Command.Code.createCustomer...Command.Code.removeAlias).contains(entry.type)
            try connection.run(
                "INSERT INTO memo VALUES(?,?,?,?)",
                [
                    .integer(place.rawValue), .integer(secret.owner.rawValue), .integer(isPerson ? 1 : 0),
                    .blob(try secret.memo.sealed(key: secret.key, event: entry.id)),
                ])
        }
        if entry.type == Command.Code.eraseCustomer, let id = entry.arguments[0].integer {
            let family = family(of: root(of: CustomerID(rawValue: id)))
            for member in family { try Self.destroyKey(of: member, in: connection) }
            // The conversation's state may name whom it is about; it says anew what it still needs.
            try connection.run("DELETE FROM state")
            memory.forgotten += family
        }
    }

    /// Brings the memory up to an entry that is being committed.
    func fold(_ entry: JournalEntry, _ personal: CBORValue?) {
        let first = entry.arguments.first?.integer.map { CustomerID(rawValue: $0) }
        switch entry.type {
        case Command.Code.createCustomer:
            if case .customer(let id) = entry.outcome, let personal { memory.people[id]?.apply(entry.type, personal) }
        case Command.Code.updateCustomer, Command.Code.addAlias, Command.Code.removeAlias:
            if let first, let personal { memory.people[first]?.apply(entry.type, personal) }
        case Command.Code.mergeCustomer:
            if let first {
                memory.mergedInto[first] = entry.arguments[1].integer.map { CustomerID(rawValue: $0) }
            }
        case Command.Code.unmergeCustomer:
            if let first { memory.mergedInto[first] = nil }
        case Command.Code.eraseCustomer:
            // Numbers merged together are one person: to forget one is to forget all.
            if let first {
                for member in family(of: root(of: first)) { memory.people[member] = Person(id: member, isErased: true) }
            }
        case Command.Code.createProduct:
            if case .product(let id) = entry.outcome { memory.goods[id] = ProductDetails(entry.arguments[0]) }
        case Command.Code.updateProduct:
            if let id = entry.arguments[0].integer {
                memory.goods[ProductID(rawValue: id)] = ProductDetails(entry.arguments[1])
            }
        case Command.Code.setRules: memory.rules = ShopRules(entry.arguments)
        default: break
        }
    }

    func loadPeople() throws(BookError) {
        memory.people = [:]
        memory.mergedInto = [:]
        memory.shopKey = nil
        var keys: [CustomerID: [UInt8]] = [:]
        let wrap = KeyWrap(configuration)
        try connection.run("SELECT customer, key FROM person") {
            keys[CustomerID(rawValue: $0.integer(0))] = wrap.unwrap($0.blob(1))
        }
        memory.shopKey = keys[Self.shopPerson]
        try connection.run("SELECT id, erased, merged_into FROM customer") {
            let id = CustomerID(rawValue: $0.integer(0))
            memory.people[id] = Person(id: id, isErased: $0.integer(1) == 1, key: keys[id])
            memory.mergedInto[id] = $0.optionalInteger(2).map { CustomerID(rawValue: $0) }
        }
        var memos: [(place: Place, customer: CustomerID, box: [UInt8])] = []
        try connection.run("SELECT place, customer, sealed FROM memo WHERE is_person = 1 ORDER BY place") {
            memos.append((Place(rawValue: $0.integer(0)), CustomerID(rawValue: $0.integer(1)), $0.blob(2)))
        }
        for memo in memos {
            guard let key = keys[memo.customer] else { continue }
            let entry = try entry(at: memo.place)
            guard let opened = Memo(opening: memo.box, key: key, event: entry.id) else {
                throw .damaged("the sealed details of a customer do not open")
            }
            memory.people[memo.customer]?.apply(entry.type, opened.data)
        }
    }

    func loadGoods() throws(BookError) {
        memory.goods = [:]
        var isReadable = true
        try connection.run("SELECT id, details FROM product") {
            let details = (try? CBORValue(decoding: $0.blob(1))).flatMap { ProductDetails($0) }
            if details == nil { isReadable = false }
            memory.goods[ProductID(rawValue: $0.integer(0))] = details
        }
        guard isReadable else { throw .damaged("a product cannot be read") }
    }

    /// The sealed part of an event; nil when there is none or its key is gone.
    func memo(at place: Place, event: ULID) throws(BookError) -> Memo? {
        var found: (customer: CustomerID, box: [UInt8])?
        try connection.run("SELECT customer, sealed FROM memo WHERE place = ?", [.integer(place.rawValue)]) {
            found = (CustomerID(rawValue: $0.integer(0)), $0.blob(1))
        }
        guard let found,
            let key = found.customer == Self.shopPerson ? memory.shopKey : memory.people[found.customer]?.key
        else {
            return nil
        }
        guard let memo = Memo(opening: found.box, key: key, event: event) else {
            throw .damaged("a sealed note does not open")
        }
        return memo
    }

    /// Empties the log and cleans the backups after a key was destroyed. A reader can hold the log back; then the next
    /// commit tries again, and at the latest the next start.
    func scrub() {
        listForgotten(memory.forgotten)
        forgetInBackups(memory.forgotten)
        if path == nil || (try? connection.checkpoint()) == true { memory.forgotten = [] }
    }

    // MARK: Merging

    /// The customer that answers for this one.
    func root(of id: CustomerID) -> CustomerID {
        var id = id
        // A chain of merges cannot be longer than there are people: merging refuses a circle.
        while let next = memory.mergedInto[id] { id = next }
        return id
    }

    /// This customer and all merged into it.
    func family(of root: CustomerID) -> [CustomerID] {
        [root] + memory.mergedInto.keys.filter { self.root(of: $0) == root }.sorted()
    }
}
