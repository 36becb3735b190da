import Ledger

/// A batch's payload turned on its side: instead of event behind event, each field of all events together, so that
/// a time is told as the step from the one before, a name of sixteen bytes as its random part alone, and what is the
/// same in all of them once. The bytes that were signed come out again exactly; the signature is over those.
///
///     payload = count(lying) | count(noise) | count(lying's frame) | frame | noise's frame      (counts: LEB128)
///     lying   = count of shapes | (length | shape)* | shape of each event | (number columns | texts)* by shape
///     noise   = the contents of byte strings, by shape and column
///
/// Either frame is Zstandard, or the bytes themselves when that is not shorter. Noise is apart, since random bytes
/// among others spoil the code for both.
enum EventColumns {
    /// Nil when an event is no canonical CBOR or turning gains nothing.
    static func turned(_ bodies: [[UInt8]]) -> [UInt8]? {
        var shapes: [EventShape: Int] = [:]
        var tables: [(shape: EventShape, rows: [EventShape.Fields])] = []
        var order: [Int] = []
        for body in bodies {
            guard let (shape, fields) = EventShape.reading(body) else { return nil }
            let index = shapes[shape] ?? tables.count
            if index == tables.count {
                shapes[shape] = index
                tables.append((shape, []))
            }
            tables[index].rows.append(fields)
            order.append(index)
        }
        var (lying, noise): ([UInt8], [UInt8]) = ([], [])
        LEB128.write(UInt64(tables.count), to: &lying)
        for table in tables {
            LEB128.write(UInt64(table.shape.program.count), to: &lying)
            lying += table.shape.program
        }
        if tables.count > 1 { for index in order { LEB128.write(UInt64(index), to: &lying) } }
        for table in tables {
            let columns = table.rows[0].numbers.indices.map { column in table.rows.map { $0.numbers[column] } }
            NumberColumns.write(columns, to: &lying)
            for (column, isText) in table.shape.contents.enumerated() {
                for row in table.rows {
                    if isText { lying += row.contents[column] } else { noise += row.contents[column] }
                }
            }
        }
        let (first, second) = (Compression.compressed(lying) ?? lying, Compression.compressed(noise) ?? noise)
        var out: [UInt8] = []
        for count in [lying.count, noise.count, first.count] { LEB128.write(UInt64(count), to: &out) }
        return out + first + second
    }

    /// The bodies again, each as its frame.
    ///
    /// Whatever the bytes say, no more is made than `payloadBytes` and one event, and every step of the work pays at
    /// least one byte into it.
    static func restored(
        _ bytes: ArraySlice<UInt8>, count: Int, payloadBytes: Int
    ) throws(SyncError) -> [UInt8] {
        var outer = ByteReader(bytes)
        let (lyingCount, noiseCount, frameCount) = (try outer.count(), try outer.count(), try outer.count())
        guard lyingCount + noiseCount <= 2 * SyncLimits.payloadBytesMax else { throw .tooLarge("columns") }
        var lying = ByteReader(try unpacked(outer.bytes(frameCount), to: lyingCount))
        var noise = ByteReader(try unpacked(outer.rest, to: noiseCount))

        var shapes: [EventShape] = []
        let shapeCount = try lying.count()
        guard (1...count).contains(shapeCount) else { throw .malformed("shapes") }
        for _ in 0..<shapeCount { shapes.append(try EventShape(program: Array(lying.bytes(lying.count())))) }
        var order = [Int](repeating: 0, count: count)
        var rows = [Int](repeating: shapeCount == 1 ? count : 0, count: shapeCount)
        if shapeCount > 1 {
            for index in order.indices {
                order[index] = try lying.count()
                guard order[index] < shapeCount else { throw .malformed("shape of an event") }
                rows[order[index]] += 1
            }
        }
        // Each field of each event is at least one byte of the payload: more fields than bytes are a lie.
        var cells = 0
        for (shape, rows) in zip(shapes, rows) { cells += rows * shape.numbers }
        guard cells <= payloadBytes else { throw .tooLarge("columns") }

        var tables: [[EventShape.Fields]] = []
        for (shape, rows) in zip(shapes, rows) {
            let columns = try NumberColumns.read(shape.numbers, rows: rows, from: &lying)
            var table = (0..<rows).map { row in
                EventShape.Fields(numbers: columns.map { $0[row] }, contents: [])
            }
            for (column, isText) in shape.contents.enumerated() {
                for row in table.indices {
                    let length = try shape.contentLength(column, of: table[row])
                    table[row].contents.append(try isText ? lying.bytes(length) : noise.bytes(length))
                }
            }
            tables.append(table)
        }
        guard lying.rest.isEmpty, noise.rest.isEmpty else { throw .malformed("bytes behind the columns") }

        var out: [UInt8] = []
        out.reserveCapacity(payloadBytes)
        var next = [Int](repeating: 0, count: shapeCount)
        for index in order {
            let start = out.count
            out += [0, 0, 0, 0]
            try shapes[index].write(tables[index][next[index]], to: &out)
            next[index] += 1
            let length = out.count - start - 4
            guard length <= SyncLimits.eventBytesMax, out.count <= payloadBytes else { throw .tooLarge("event") }
            for place in 0..<4 { out[start + place] = UInt8(truncatingIfNeeded: length >> (24 - 8 * place)) }
        }
        guard out.count == payloadBytes else { throw .malformed("payload of another length") }
        return out
    }

    private static func unpacked(_ frame: ArraySlice<UInt8>, to count: Int) throws(SyncError) -> ArraySlice<UInt8> {
        frame.count == count ? frame : try Compression.expanded(frame, to: count)[...]
    }
}

/// Numbers of seven bits a byte, low ones first.
enum LEB128 {
    static func write(_ number: UInt64, to out: inout [UInt8]) {
        var left = number
        while left > 0x7F {
            out.append(UInt8(truncatingIfNeeded: left) | 0x80)
            left >>= 7
        }
        out.append(UInt8(left))
    }

    /// Signed numbers near zero, of either sign, become small ones.
    static func zigzag(_ number: Int64) -> UInt64 { UInt64(bitPattern: number << 1 ^ number >> 63) }
    static func unzigzag(_ number: UInt64) -> Int64 { Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1) }
}

/// Takes pieces from the front; what is not there is malformed.
struct ByteReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func bytes(_ count: Int) throws(SyncError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= rest.count else { throw .malformed("columns are cut") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func number() throws(SyncError) -> UInt64 {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { throw .malformed("columns are cut") }
            guard shift < 63 || byte <= 1 else { throw .malformed("a number is too long") }
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
        }
        throw .malformed("a number is too long")
    }

    /// Never more than a payload can hold.
    mutating func count() throws(SyncError) -> Int {
        let number = try number()
        guard number <= SyncLimits.payloadBytesMax else { throw .tooLarge("columns") }
        return Int(number)
    }
}
