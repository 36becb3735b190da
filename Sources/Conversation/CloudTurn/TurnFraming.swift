import JSONText

/// The body of `POST /v1/turns`, both ways of reading it. All integers little-endian:
///
///     "EXT1" | u32 hello length | hello (JSON)
///     then records: u32 seq | u32 sample offset | u16 flags | u16 length | Opus packet
///
/// `sample offset` counts from the hello's first sample. A record with flag `end` closes the turn (length 0).
/// `seq` counts from 0 without gaps, so a turn sent again after a reconnect can be told from a new part.
public enum TurnFraming {
    public static let magic = Array("EXT1".utf8)
    public static let helloBytesMax = 16_384
    /// A 20 ms packet at 24 kbit/s is about 60 bytes; 1275 is what one Opus frame can be.
    public static let packetBytesMax = 1_275
    /// 28 s hard cap of a turn plus pre-roll, in 20 ms packets, rounded up.
    public static let packetsMax = 1_600

    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }
        public static let end = Flags(rawValue: 1)
        /// Samples were lost to an overrun before this packet and filled with silence.
        public static let gap = Flags(rawValue: 2)
        /// The device gave the turn up (button, wake rejected): nothing is to be recognised.
        public static let cancel = Flags(rawValue: 4)
    }

    public struct Record: Hashable, Sendable {
        public var seq: UInt32
        public var sampleOffset: UInt32
        public var flags: Flags
        public var packet: [UInt8]

        public init(seq: UInt32, sampleOffset: UInt32, flags: Flags = [], packet: [UInt8]) {
            self.seq = seq
            self.sampleOffset = sampleOffset
            self.flags = flags
            self.packet = packet
        }
    }

    public static func head(_ hello: TurnHello) -> [UInt8] {
        let text = hello.json.bytes
        precondition(text.count <= helloBytesMax, "hello over its maximum")
        return magic + littleEndian(UInt32(text.count)) + text
    }

    public static func bytes(of record: Record) -> [UInt8] {
        precondition(record.packet.count <= packetBytesMax, "packet over its maximum")
        return littleEndian(record.seq) + littleEndian(record.sampleOffset) + littleEndian(record.flags.rawValue)
            + littleEndian(UInt16(record.packet.count)) + record.packet
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}

/// Reads a turn as it arrives, in pieces of any size. Bounded: refuses what is over the framing's maxima.
public struct TurnReader: Sendable {
    public enum Event: Sendable {
        case hello(TurnHello)
        case record(TurnFraming.Record)
    }

    private var buffer: [UInt8] = []
    private var at = 0
    private var hasHello = false
    private var nextSeq: UInt32 = 0
    public private(set) var isEnded = false

    public init() {}

    /// - Returns: what became whole with these bytes, in order.
    /// - Throws: at the first byte that cannot be; the reader is of no further use then.
    public mutating func take(_ bytes: some Sequence<UInt8>) throws(TurnWireError) -> [Event] {
        buffer.append(contentsOf: bytes)
        var events: [Event] = []
        while let event = try next() { events.append(event) }
        buffer.removeFirst(at)
        at = 0
        return events
    }

    private mutating func next() throws(TurnWireError) -> Event? {
        if !hasHello {
            guard buffer.count - at >= 8 else { return nil }
            guard Array(buffer[at..<at + 4]) == TurnFraming.magic else { throw .malformed("magic") }
            let length = Int(integer(at + 4) as UInt32)
            guard length <= TurnFraming.helloBytesMax else { throw .tooLarge("hello") }
            guard buffer.count - at >= 8 + length else { return nil }
            let json: JSONValue
            do { json = try JSONValue(parsing: buffer[at + 8..<at + 8 + length]) } catch { throw .malformed("hello") }
            at += 8 + length
            hasHello = true
            return .hello(try TurnHello(json: json))
        }
        guard buffer.count - at >= 12 else { return nil }
        guard !isEnded else { throw .malformed("bytes behind the end") }
        let length = Int(integer(at + 10) as UInt16)
        guard length <= TurnFraming.packetBytesMax else { throw .tooLarge("packet") }
        guard buffer.count - at >= 12 + length else { return nil }
        let record = TurnFraming.Record(
            seq: integer(at), sampleOffset: integer(at + 4), flags: .init(rawValue: integer(at + 8)),
            packet: Array(buffer[at + 12..<at + 12 + length]))
        guard record.seq == nextSeq else { throw .malformed("sequence") }
        guard nextSeq < UInt32(TurnFraming.packetsMax) else { throw .tooLarge("turn") }
        nextSeq += 1
        at += 12 + length
        isEnded = record.flags.contains(.end) || record.flags.contains(.cancel)
        return .record(record)
    }

    private func integer<Number: FixedWidthInteger>(_ from: Int) -> Number {
        (0..<Number.bitWidth / 8).reduce(0) { $0 | Number(truncatingIfNeeded: buffer[from + $1]) << (8 * $1) }
    }
}
