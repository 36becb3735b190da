import Flash
import Glibc

/// Who was erased, kept beside the book so that no older copy of it brings a name back: `<book>.forgotten` lists the
/// events that created the erased customers, 16 bytes each. A book that is opened there, restored from whatever backup,
/// first erases them again.
///
/// It names nobody: the ids are random. Without the device's key a copy of the book elsewhere has no names at all.
struct Forgotten {
    static let idBytes = 16

    var path: String

    init(book: String) { path = book + ".forgotten" }

    /// Empty when there is none or it cannot be read.
    func read() -> Set<ULID> {
        guard let file = fopen(path, "rbe") else { return [] }
        defer { fclose(file) }
        var ids: Set<ULID> = []
        var one = [UInt8](repeating: 0, count: Self.idBytes)
        while fread(&one, 1, one.count, file) == one.count, let id = ULID(bytes: one) { ids.insert(id) }
        return ids
    }

    /// Whole or not at all: written beside, synced, renamed. What fails is tried again at the next start, which compares
    /// the list with the book.
    func write(_ ids: Set<ULID>) throws(BookError) {
        let bytes = ids.sorted().flatMap(\.bytes)
        try onFlash { () throws(FlashError) in try Flash.put(bytes, at: path, beside: path + ".part") }
    }
}

extension LedgerStore {
    /// At every start: the list learns whom this book has erased, the book learns whom the list knows.
    func recallForgotten() throws(BookError) {
        guard let path else { return }
        let file = Forgotten(book: path)
        let listed = file.read()
        let known = Set(try creations(of: memory.people.values.filter(\.isErased).map(\.id)))
        for id in listed.subtracting(known).sorted() {
            guard let made = try committed(id), case .customer(let customer) = made.entry.outcome,
                memory.people[customer]?.isErased == false
            else { continue }
            _ = try perform(
                .eraseCustomer(customer), id: ULID(high: id.high, low: id.low ^ 0x666F_7267_6F74),
                evidence: Evidence(confirmedBy: "restore"), at: made.entry.at)
        }
        if !known.isSubset(of: listed) { try? file.write(listed.union(known)) }
    }

    /// Adds to the list behind an erasure.
    func listForgotten(_ customers: [CustomerID]) {
        guard let path, let ids = try? creations(of: customers) else { return }
        let file = Forgotten(book: path)
        try? file.write(file.read().union(ids))
    }

    /// The events that created customers.
    private func creations(of customers: [CustomerID]) throws(BookError) -> [ULID] {
        var ids: [ULID] = []
        for customer in customers {
            guard
                let place = try connection.integer(
                    "SELECT place FROM customer WHERE id = ?", [.integer(customer.rawValue)])
            else { continue }
            ids.append(try entry(at: Place(rawValue: place)).id)
        }
        return ids
    }
}
