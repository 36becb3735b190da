/// Reads FlatBuffers tables out of untrusted bytes; every access is checked against the bytes' bounds.
///
/// Source: FlatBuffers binary format ("Internals"): a table starts with a signed offset back to its vtable; the
/// vtable holds its own size, the table's size and a 16-bit place for each field, 0 where the field is absent.
struct FlatBuffer {
    let bytes: [UInt8]

    struct Table {
        var at: Int
        var vtable: Int
        var vtableBytes: Int
    }

    func root() throws(WakeModelError) -> Table {
        guard bytes.count >= 8, Array(bytes[4..<8]) == Array("TFL3".utf8) else { throw .notAModel }
        return try table(at: Int(try integer(0) as UInt32))
    }

    func integer<Number: FixedWidthInteger>(_ at: Int) throws(WakeModelError) -> Number {
        let size = Number.bitWidth / 8
        guard at >= 0, at <= bytes.count - size else { throw .truncated }
        var value: Number = 0
        for index in 0..<size { value |= Number(truncatingIfNeeded: bytes[at + index]) << Number(8 * index) }
        return value
    }

    private func table(at: Int) throws(WakeModelError) -> Table {
        let back: Int32 = try integer(at)
        let vtable = at - Int(back)
        let size: UInt16 = try integer(vtable)
        guard size >= 4, size % 2 == 0, vtable >= 0, vtable + Int(size) <= bytes.count else { throw .truncated }
        return Table(at: at, vtable: vtable, vtableBytes: Int(size))
    }

    private func place(_ table: Table, _ field: Int) throws(WakeModelError) -> Int? {
        let slot = 4 + 2 * field
        guard slot + 2 <= table.vtableBytes else { return nil }
        let offset: UInt16 = try integer(table.vtable + slot)
        return offset == 0 ? nil : table.at + Int(offset)
    }

    func scalar<Number: FixedWidthInteger>(_ table: Table, _ field: Int, _ absent: Number) throws(WakeModelError)
        -> Number
    {
        guard let at = try place(table, field) else { return absent }
        return try integer(at)
    }

    /// The table a field points to.
    func child(_ table: Table, _ field: Int) throws(WakeModelError) -> Table? {
        guard let at = try place(table, field) else { return nil }
        return try self.table(at: try target(at))
    }

    private func target(_ at: Int) throws(WakeModelError) -> Int {
        let offset: UInt32 = try integer(at)
        guard offset > 0, Int(offset) <= bytes.count - at else { throw .truncated }
        return at + Int(offset)
    }

    /// Start and length of a vector field whose items are `itemBytes` each.
    private func vector(_ table: Table, _ field: Int, itemBytes: Int) throws(WakeModelError) -> (at: Int, count: Int)? {
        guard let at = try place(table, field) else { return nil }
        let start = try target(at)
        let count: UInt32 = try integer(start)
        guard Int(count) <= (bytes.count - start - 4) / itemBytes else { throw .truncated }
        return (start + 4, Int(count))
    }

    func tables(_ table: Table, _ field: Int, countMax: Int) throws(WakeModelError) -> [Table] {
        guard let (at, count) = try vector(table, field, itemBytes: 4) else { return [] }
        guard count <= countMax else { throw .overLimit("items in a list") }
        var items: [Table] = []
        for index in 0..<count { items.append(try self.table(at: try target(at + 4 * index))) }
        return items
    }

    func integers<Number: FixedWidthInteger>(_ table: Table, _ field: Int, countMax: Int) throws(WakeModelError)
        -> [Number]
    {
        guard let (at, count) = try vector(table, field, itemBytes: Number.bitWidth / 8) else { return [] }
        guard count <= countMax else { throw .overLimit("items in a list") }
        var items: [Number] = []
        for index in 0..<count { items.append(try integer(at + index * Number.bitWidth / 8)) }
        return items
    }

    func floats(_ table: Table, _ field: Int, countMax: Int) throws(WakeModelError) -> [Float] {
        let patterns: [UInt32] = try integers(table, field, countMax: countMax)
        return patterns.map { Float(bitPattern: $0) }
    }

    func data(_ table: Table, _ field: Int, countMax: Int) throws(WakeModelError) -> ArraySlice<UInt8> {
        guard let (at, count) = try vector(table, field, itemBytes: 1) else { return [] }
        guard count <= countMax else { throw .overLimit("tensor bytes") }
        return bytes[at..<at + count]
    }

    func text(_ table: Table, _ field: Int) throws(WakeModelError) -> String {
        String(decoding: try data(table, field, countMax: 256), as: UTF8.self)
    }
}
