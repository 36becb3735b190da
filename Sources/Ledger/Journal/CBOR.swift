/// The part of CBOR the journal writes, in its one deterministic form (RFC 8949, 4.2.1): shortest integers, sorted
/// map keys, definite lengths. No floating point, no tags. The reader refuses every other form, so two encodings
/// of one thing cannot exist.
public indirect enum CBORValue: Hashable, Sendable {
    case integer(Int64)
    case bytes([UInt8])
    case text(String)
    case array([CBORValue])
    case map([Int64: CBORValue])
    case bool(Bool)
    case null
}

public enum CBORError: Error, Equatable {
    case truncated
    case notCanonical
    case unsupported
    case tooDeep
    case trailingBytes
}

extension CBORValue {
    public var encoded: [UInt8] {
        var out: [UInt8] = []
        write(to: &out)
        return out
    }

    private func write(to out: inout [UInt8]) {
        switch self {
        case .integer(let number):
            if number >= 0 {
                Self.head(0, UInt64(number), to: &out)
            } else {
                Self.head(1, UInt64(-1 - number), to: &out)
            }
        case .bytes(let bytes):
            Self.head(2, UInt64(bytes.count), to: &out)
            out += bytes
        case .text(let text):
            Self.head(3, UInt64(text.utf8.count), to: &out)
            out += text.utf8
        case .array(let items):
            Self.head(4, UInt64(items.count), to: &out)
            for item in items { item.write(to: &out) }
        case .map(let members):
            Self.head(5, UInt64(members.count), to: &out)
            let keys = members.keys.map { (key: $0, bytes: CBORValue.integer($0).encoded) }
            for (key, bytes) in keys.sorted(by: { $0.bytes.lexicographicallyPrecedes($1.bytes) }) {
                out += bytes
                members[key]!.write(to: &out)
            }
        case .bool(let flag): out.append(flag ? 0xF5 : 0xF4)
        case .null: out.append(0xF6)
        }
    }

    private static func head(_ major: UInt8, _ argument: UInt64, to out: inout [UInt8]) {
        let (code, width): (UInt8, Int) =
            argument < 24
            ? (UInt8(argument), 0)
            : argument <= 0xFF
                ? (24, 1)
                : argument <= 0xFFFF
                    ? (25, 2)
                    : argument <= 0xFFFF_FFFF ? (26, 4) : (27, 8)
        out.append(major << 5 | code)
        for index in (0..<width).reversed() { out.append(UInt8(truncatingIfNeeded: argument >> UInt64(8 * index))) }
    }

    public static let depthMax = 16
    /// Room made before anything is read: no more, whatever the head of a list promises.
    private static let sizeExpected: UInt64 = 32

    /// Reads exactly one value; anything but the deterministic form is refused.
    public init(decoding bytes: [UInt8]) throws(CBORError) {
        var at = 0
        self = try Self.read(bytes, &at, depth: 0)
        guard at == bytes.count else { throw .trailingBytes }
    }

    private static func read(_ bytes: [UInt8], _ at: inout Int, depth: Int) throws(CBORError) -> CBORValue {
        guard depth < depthMax else { throw .tooDeep }
        guard at < bytes.count else { throw .truncated }
        let first = bytes[at]
        at += 1
        if first >= 0xE0 {
            switch first {
            case 0xF4: return .bool(false)
            case 0xF5: return .bool(true)
            case 0xF6: return .null
            default: throw .unsupported
            }
        }
        let argument = try argument(first & 31, bytes, &at)
        switch first >> 5 {
        case 0:
            guard argument <= UInt64(Int64.max) else { throw .unsupported }
            return .integer(Int64(argument))
        case 1:
            guard argument <= UInt64(Int64.max) else { throw .unsupported }
            return .integer(-1 - Int64(argument))
        case 2, 3:
            guard argument <= UInt64(bytes.count - at) else { throw .truncated }
            let content = bytes[at..<at + Int(argument)]
            at += Int(argument)
            if first >> 5 == 2 { return .bytes(Array(content)) }
            guard let text = String(validating: content, as: UTF8.self) else { throw .unsupported }
            return .text(text)
        case 4:
            guard argument <= UInt64(bytes.count - at) else { throw .truncated }
            var items: [CBORValue] = []
            items.reserveCapacity(Int(min(argument, sizeExpected)))
            for _ in 0..<argument { items.append(try read(bytes, &at, depth: depth + 1)) }
            return .array(items)
        case 5:
            guard argument <= UInt64(bytes.count - at) else { throw .truncated }
            var members: [Int64: CBORValue] = [:]
            members.reserveCapacity(Int(min(argument, sizeExpected)))
            var last: UInt64?
            for _ in 0..<argument {
                guard case .integer(let key) = try read(bytes, &at, depth: depth + 1) else { throw .unsupported }
                // The order of the encoded bytes: from 0 up, then from -1 down.
                let order = key >= 0 ? UInt64(key) : 1 << 63 | UInt64(-1 - key)
                if let last { guard last < order else { throw .notCanonical } }
                last = order
                members[key] = try read(bytes, &at, depth: depth + 1)
            }
            return .map(members)
        default: throw .unsupported
        }
    }

    private static func argument(_ code: UInt8, _ bytes: [UInt8], _ at: inout Int) throws(CBORError) -> UInt64 {
        if code < 24 { return UInt64(code) }
        guard code <= 27 else { throw .unsupported }
        let width = 1 << Int(code - 24)
        guard bytes.count - at >= width else { throw .truncated }
        var value: UInt64 = 0
        for byte in bytes[at..<at + width] { value = value << 8 | UInt64(byte) }
        at += width
        let least: UInt64 = [24, 0x100, 0x1_0000, 0x1_0000_0000][Int(code - 24)]
        guard value >= least else { throw .notCanonical }
        return value
    }
}

extension CBORValue {
    public var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
    public var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
    public var text: String? { if case .text(let text) = self { text } else { nil } }
    public var array: [CBORValue]? { if case .array(let items) = self { items } else { nil } }
    public var map: [Int64: CBORValue]? { if case .map(let members) = self { members } else { nil } }
    public var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }

    /// Null for nil, so optional fields keep their place.
    public static func optional(_ text: String?) -> CBORValue { text.map { .text($0) } ?? .null }
    public static func optional(_ number: Int64?) -> CBORValue { number.map { .integer($0) } ?? .null }
    public static func optional(_ bytes: [UInt8]?) -> CBORValue { bytes.map { .bytes($0) } ?? .null }
}
