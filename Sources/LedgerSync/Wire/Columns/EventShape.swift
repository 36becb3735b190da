import Ledger

/// What an event's bytes are apart from the values in it: heads of maps and arrays, keys, truth values, and where
/// numbers, names, byte strings and texts stand. Events of one command have one shape.
///
///     program = (literal: 1 | count | bytes) | (number: 2) | (name of 16 bytes: 3) | (bytes: 4) | (text: 5) ...
struct EventShape: Hashable {
    /// One event's values, in the order of the program.
    struct Fields: Hashable {
        /// A number's value; a name's first 48 bits, which are a time; the length of bytes and text.
        var numbers: [Int64]
        /// A name's other ten bytes; bytes; text.
        var contents: [ArraySlice<UInt8>]
    }

    private enum Step {
        static let literal: UInt8 = 1
        static let number: UInt8 = 2
        static let name: UInt8 = 3
        static let bytes: UInt8 = 4
        static let text: UInt8 = 5
    }

    private static let nameBytes = 16
    private static let nameTailBytes = 10

    let program: [UInt8]
    /// Columns of numbers.
    let numbers: Int
    /// For each column of contents whether it is text.
    let contents: [Bool]
    /// For each column of contents its column of lengths; nil where all are tails of names.
    private let lengths: [Int?]

    init(program: [UInt8]) throws(SyncError) {
        var (numbers, contents, lengths): (Int, [Bool], [Int?]) = (0, [], [])
        var reader = ByteReader(program[...])
        while let step = try reader.rest.isEmpty ? nil : reader.number() {
            switch UInt8(truncatingIfNeeded: step) {
            case Step.literal where step < 6: _ = try reader.bytes(reader.count())
            case Step.number where step < 6: numbers += 1
            case Step.name where step < 6:
                numbers += 1
                contents.append(false)
                lengths.append(nil)
            case Step.bytes where step < 6, Step.text where step < 6:
                contents.append(step == UInt64(Step.text))
                lengths.append(numbers)
                numbers += 1
            default: throw .malformed("step of a shape")
            }
        }
        (self.program, self.numbers, self.contents, self.lengths) = (program, numbers, contents, lengths)
    }

    static func == (left: Self, right: Self) -> Bool { left.program == right.program }
    func hash(into hasher: inout Hasher) { hasher.combine(program) }

    func contentLength(_ column: Int, of fields: Fields) throws(SyncError) -> Int {
        guard let place = lengths[column] else { return Self.nameTailBytes }
        guard (0...Int64(SyncLimits.eventBytesMax)).contains(fields.numbers[place]) else { throw .tooLarge("event") }
        return Int(fields.numbers[place])
    }

    /// Puts the values back into their places.
    func write(_ fields: Fields, to out: inout [UInt8]) throws(SyncError) {
        var reader = ByteReader(program[...])
        var (number, content) = (0, 0)
        while !reader.rest.isEmpty {
            let value = number < numbers ? fields.numbers[number] : 0
            switch UInt8(truncatingIfNeeded: try reader.number()) {
            case Step.literal: out += try reader.bytes(reader.count())
            case Step.number:
                CBORHead.write(integer: value, to: &out)
                number += 1
            case Step.name:
                CBORHead.write(2, UInt64(Self.nameBytes), to: &out)
                for shift in stride(from: 40, through: 0, by: -8) {
                    out.append(UInt8(truncatingIfNeeded: value >> shift))
                }
                out += fields.contents[content]
                number += 1
                content += 1
            case let step:
                CBORHead.write(step == Step.text ? 3 : 2, UInt64(bitPattern: value), to: &out)
                out += fields.contents[content]
                number += 1
                content += 1
            }
        }
    }

    // MARK: Reading an event

    /// Nil when it is not CBOR of the journal's kind. Bytes that are not in the one canonical form may come through
    /// and be other bytes when they are written again: the caller compares.
    static func reading(_ body: [UInt8]) -> (EventShape, Fields)? {
        var walk = Walk(rest: body[...])
        guard walk.value(depth: 0), walk.rest.isEmpty else { return nil }
        walk.endLiteral()
        guard let shape = try? EventShape(program: walk.program) else { return nil }
        return (shape, walk.fields)
    }

    private struct Walk {
        var rest: ArraySlice<UInt8>
        var program: [UInt8] = []
        var literal: [UInt8] = []
        var fields = Fields(numbers: [], contents: [])

        mutating func endLiteral() {
            guard !literal.isEmpty else { return }
            program.append(Step.literal)
            LEB128.write(UInt64(literal.count), to: &program)
            program += literal
            literal = []
        }

        private mutating func step(_ step: UInt8, _ number: Int64) {
            endLiteral()
            program.append(step)
            fields.numbers.append(number)
        }

        mutating func value(depth: Int) -> Bool {
            guard depth < CBORValue.depthMax, let first = rest.first else { return false }
            if first >= 0xE0 {
                literal.append(first)
                rest = rest.dropFirst()
                return true
            }
            let start = rest
            guard let head = CBORHead.read(&rest), let argument = Int64(exactly: head.argument) else { return false }
            switch head.major {
            case 0, 1:
                step(Step.number, head.major == 0 ? argument : -1 - argument)
                return true
            case 2, 3:
                guard argument <= rest.count else { return false }
                let content = rest.prefix(Int(argument))
                rest = rest.dropFirst(Int(argument))
                if head.major == 2, content.count == nameBytes {
                    step(Step.name, content.prefix(nameBytes - nameTailBytes).reduce(0) { $0 << 8 | Int64($1) })
                    fields.contents.append(content.suffix(nameTailBytes))
                } else {
                    step(head.major == 2 ? Step.bytes : Step.text, argument)
                    fields.contents.append(content)
                }
                return true
            case 4, 5:
                guard argument <= rest.count else { return false }
                literal += start.prefix(start.count - rest.count)
                for _ in 0..<argument {
                    if head.major == 5 {
                        let key = rest
                        guard let head = CBORHead.read(&rest), head.major < 2 else { return false }
                        literal += key.prefix(key.count - rest.count)
                    }
                    guard value(depth: depth + 1) else { return false }
                }
                return true
            default: return false
            }
        }
    }
}

/// The head of a CBOR value: three bits of kind and its argument.
enum CBORHead {
    static func read(_ bytes: inout ArraySlice<UInt8>) -> (major: UInt8, argument: UInt64)? {
        guard let first = bytes.popFirst() else { return nil }
        let code = first & 31
        if code < 24 { return (first >> 5, UInt64(code)) }
        guard code <= 27 else { return nil }
        let width = 1 << Int(code - 24)
        guard bytes.count >= width else { return nil }
        defer { bytes = bytes.dropFirst(width) }
        return (first >> 5, bytes.prefix(width).reduce(0) { $0 << 8 | UInt64($1) })
    }

    static func write(integer: Int64, to out: inout [UInt8]) {
        integer >= 0 ? write(0, UInt64(integer), to: &out) : write(1, UInt64(-1 - integer), to: &out)
    }

    static func write(_ major: UInt8, _ argument: UInt64, to out: inout [UInt8]) {
        let (code, width): (UInt8, Int) =
            switch argument {
            case ..<24: (UInt8(argument), 0)
            case ...0xFF: (24, 1)
            case ...0xFFFF: (25, 2)
            case ...0xFFFF_FFFF: (26, 4)
            default: (27, 8)
            }
        out.append(major << 5 | code)
        for index in (0..<width).reversed() { out.append(UInt8(truncatingIfNeeded: argument >> UInt64(8 * index))) }
    }
}
