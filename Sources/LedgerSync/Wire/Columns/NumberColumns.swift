/// Columns of numbers, each told in the way that takes the fewest bits: as it is, as the step from the row before, or
/// as the difference from an earlier column; then less its least value, divided by what all have in common, and laid
/// down in planes of bytes, low bytes first.
///
///     column = way (0 as it is, 1 step, 2 + k difference from column k) | [first, of steps] | least | divisor |
///              planes | bytes
///
/// All arithmetic wraps, so any 64-bit numbers come out as they went in.
enum NumberColumns {
    /// How many earlier columns are tried for a difference: more find little and take their time.
    private static let comparedMax = 24

    private struct Plan {
        var way: Int
        var first: Int64?
        var least: Int64
        var divisor: UInt64
        /// The greatest that is left.
        var greatest: UInt64
        var rests: [Int64]
    }

    static func write(_ columns: [[Int64]], to out: inout [UInt8]) {
        for (index, column) in columns.enumerated() {
            var best = plan(0, nil, column)
            if column.count > 1 {
                let steps = zip(column.dropFirst(), column).map { $0 &- $1 }
                best = lesser(best, plan(1, column[0], steps))
                for earlier in max(0, index - comparedMax)..<index where best.greatest > 0 {
                    best = lesser(best, plan(2 + earlier, nil, zip(column, columns[earlier]).map { $0 &- $1 }))
                }
            }
            LEB128.write(UInt64(best.way), to: &out)
            if let first = best.first { LEB128.write(LEB128.zigzag(first), to: &out) }
            LEB128.write(LEB128.zigzag(best.least), to: &out)
            LEB128.write(best.divisor, to: &out)
            let planes = (64 - best.greatest.leadingZeroBitCount + 7) / 8
            out.append(UInt8(planes))
            let rests = best.rests.map { UInt64(bitPattern: $0 &- best.least) / best.divisor }
            for plane in 0..<planes { for rest in rests { out.append(UInt8(truncatingIfNeeded: rest >> (8 * plane))) } }
        }
    }

    private static func lesser(_ left: Plan, _ right: Plan) -> Plan { right.greatest < left.greatest ? right : left }

    private static func plan(_ way: Int, _ first: Int64?, _ rests: [Int64]) -> Plan {
        let least = rests.min() ?? 0
        var (divisor, greatest): (UInt64, UInt64) = (0, 0)
        for rest in rests {
            let above = UInt64(bitPattern: rest &- least)
            greatest = max(greatest, above)
            if divisor != 1 { divisor = common(divisor, above) }
        }
        divisor = max(1, divisor)
        return Plan(
            way: way, first: first, least: least, divisor: divisor, greatest: greatest / divisor, rests: rests)
    }

    private static func common(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }

    static func read(_ count: Int, rows: Int, from reader: inout ByteReader) throws(SyncError) -> [[Int64]] {
        var columns: [[Int64]] = []
        for index in 0..<count {
            let way = try reader.count()
            guard way < 2 + index, way != 1 || rows > 1 else { throw .malformed("way of a column") }
            let first = way == 1 ? LEB128.unzigzag(try reader.number()) : nil
            let least = LEB128.unzigzag(try reader.number())
            let divisor = try reader.number()
            let planes = Int(try reader.bytes(1).first ?? 0)
            guard planes <= 8 else { throw .malformed("planes of a column") }
            var rests = [UInt64](repeating: 0, count: first == nil ? rows : rows - 1)
            for plane in 0..<planes {
                let bytes = try reader.bytes(rests.count)
                for (row, byte) in bytes.enumerated() { rests[row] |= UInt64(byte) << UInt64(8 * plane) }
            }
            var column = rests.map { least &+ Int64(bitPattern: $0 &* divisor) }
            if let first {
                var value = first
                column =
                    [first]
                    + column.map { step in
                        value &+= step
                        return value
                    }
            } else if way >= 2 {
                for row in column.indices { column[row] &+= columns[way - 2][row] }
            }
            columns.append(column)
        }
        return columns
    }
}
