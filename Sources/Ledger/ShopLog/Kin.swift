/// Who else one own customer is: other own numbers, and numbers at other counters with what stands there.
struct Kin: Hashable {
    /// Own numbers that answer for themselves (`LedgerStore.root`).
    var others: [CustomerID] = []
    /// Owed at other counters.
    var elsewhere = Paise.zero
}

extension LedgerStore {
    /// Works out the kin of all own customers that have some. Asked after every change of who is whom.
    func loadKin() throws(BookError) {
        memory.kin = [:]
        guard try hasShopTables() else { return }
        var edges: [(SharedCustomer, SharedCustomer)] = []
        try connection.run("SELECT device, customer, into_device, into_customer FROM shared_merge") {
            edges.append(
                (
                    SharedCustomer(device: $0.blob(0), customer: CustomerID(rawValue: $0.integer(1))),
                    SharedCustomer(device: $0.blob(2), customer: CustomerID(rawValue: $0.integer(3)))
                ))
        }
        guard !edges.isEmpty else { return }
        for (one, other) in memory.mergedInto { edges.append((own(one), own(other))) }
        // What is connected is one person, whichever way the merges point: no circle can do harm.
        var leader: [SharedCustomer: SharedCustomer] = [:]
        func lead(_ one: SharedCustomer) -> SharedCustomer {
            var one = one
            while let next = leader[one] { one = next }
            return one
        }
        for (one, other) in edges {
            let (first, second) = (lead(one), lead(other))
            if first != second { leader[first] = second }
        }
        var groups: [SharedCustomer: Set<SharedCustomer>] = [:]
        for (one, other) in edges { groups[lead(one), default: []].formUnion([one, other]) }
        for group in groups.values {
            let roots = Set(
                group.lazy.filter { $0.device == self.configuration.deviceID && self.memory.people[$0.customer] != nil }
                    .map { self.root(of: $0.customer) })
            guard !roots.isEmpty else { continue }
            var elsewhere: Int64 = 0
            for member in group where member.device != configuration.deviceID {
                let (sum, overflow) = elsewhere.addingReportingOverflow(try amount(of: member))
                guard !overflow, Paise(sum).isWithinRange else { throw .damaged("other counters' sums are too large") }
                elsewhere = sum
            }
            for root in roots {
                memory.kin[root] = Kin(others: roots.filter { $0 != root }.sorted(), elsewhere: Paise(elsewhere))
            }
        }
    }

    private func own(_ id: CustomerID) -> SharedCustomer {
        SharedCustomer(device: configuration.deviceID, customer: id)
    }

    private func amount(of member: SharedCustomer) throws(BookError) -> Int64 {
        // `total` would be a floating point number; `sum` refuses to overflow.
        try connection.integer(
            """
            SELECT coalesce(sum(amount), 0) FROM shared_posting
            WHERE counter = (SELECT id FROM counter WHERE device = ?) AND customer = ?
            """, [.blob(member.device), .integer(member.customer.rawValue)]) ?? 0
    }

    /// What a customer owes at other counters, and under which other own numbers; nil where nobody else is this one.
    public func owedElsewhere(by customer: CustomerID) -> Paise? {
        memory.kin[root(of: customer)].map(\.elsewhere)
    }
}
