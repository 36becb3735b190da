/// One page of an Ogg stream (RFC 3533, 6): 27 bytes and a lacing table, then up to 65 025 bytes of packets.
struct OggPage: Equatable {
    static let capture = Array("OggS".utf8)
    static let headBytes = 27
    static let segmentsMax = 255

    struct Flags: OptionSet, Equatable {
        let rawValue: UInt8
        static let continued = Flags(rawValue: 1)
        static let begin = Flags(rawValue: 2)
        static let end = Flags(rawValue: 4)
    }

    var flags: Flags
    /// Samples at 48 kHz up to the last packet that ends on this page; -1 when none does.
    var granule: Int64
    var serial: UInt32
    var sequence: UInt32
    var lacing: [UInt8]
    var body: [UInt8]

    /// Lacing values of one whole packet: 255 for each full segment, then what is left (0 when nothing is).
    static func lacing(ofPacketBytes count: Int) -> [UInt8] {
        [UInt8](repeating: 255, count: count / 255) + [UInt8(count % 255)]
    }

    var bytes: [UInt8] {
        precondition(lacing.count <= Self.segmentsMax, "more segments than a page has")
        precondition(lacing.reduce(0) { $0 + Int($1) } == body.count, "lacing does not add up")
        var page = Self.capture + [0, flags.rawValue]
        page += littleEndian(granule) + littleEndian(serial) + littleEndian(sequence)
        page += [0, 0, 0, 0, UInt8(lacing.count)] + lacing + body
        page.replaceSubrange(22..<26, with: littleEndian(OggChecksum.of(page[...])))
        return page
    }

    enum Reading {
        case page(OggPage, end: Int)
        /// No intact page begins here.
        case damaged
    }

    /// Reads the page that begins at `start`, its checksum included.
    static func read(_ bytes: [UInt8], at start: Int) -> Reading {
        guard bytes.count - start >= headBytes, Array(bytes[start..<start + 4]) == capture, bytes[start + 4] == 0
        else { return .damaged }
        let segments = Int(bytes[start + 26])
        let bodyStart = start + headBytes + segments
        guard bodyStart <= bytes.count else { return .damaged }
        let lacing = Array(bytes[start + headBytes..<bodyStart])
        let end = bodyStart + lacing.reduce(0) { $0 + Int($1) }
        guard end <= bytes.count else { return .damaged }
        // The checksum is taken with its own four bytes as zero.
        var whole = Array(bytes[start..<end])
        for index in 22..<26 { whole[index] = 0 }
        let told: UInt32 = integer(bytes, at: start + 22)
        guard OggChecksum.of(whole[...]) == told else { return .damaged }
        return .page(
            OggPage(
                flags: Flags(rawValue: bytes[start + 5]), granule: integer(bytes, at: start + 6),
                serial: integer(bytes, at: start + 14), sequence: integer(bytes, at: start + 18), lacing: lacing,
                body: Array(bytes[bodyStart..<end])), end: end)
    }
}

/// The checksum of a page: CRC-32, polynomial 0x04C11DB7, high bit first, from 0, nothing inverted at the end.
/// - Source: RFC 3533, 6, field 7. Not the CRC-32 of zip, which is reflected.
enum OggChecksum {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index) << 24) { crc, _ in crc << 1 ^ (crc >> 31 == 1 ? 0x04C1_1DB7 : 0) }
    }

    static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(0) { $0 << 8 ^ table[Int(UInt8(truncatingIfNeeded: $0 >> 24) ^ $1)] }
    }
}

func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

func integer<Number: FixedWidthInteger>(_ bytes: [UInt8], at start: Int) -> Number {
    (0..<Number.bitWidth / 8).reduce(0) { $0 | Number(truncatingIfNeeded: bytes[start + $1]) << (8 * $1) }
}
