/// The first packet of an Ogg Opus file (RFC 7845, 5.1), mapping family 0 only: one or two channels.
public struct OggOpusHead: Hashable, Sendable {
    public var channels: Int
    /// Samples at 48 kHz to drop from the start of what is decoded.
    public var preSkip48k: Int
    /// What the sound was before it was encoded; it says nothing of the decoder's rate.
    public var inputRateHertz: Int
    /// 1/256 dB.
    public var gainQ8: Int16

    public init(channels: Int = 1, preSkip48k: Int, inputRateHertz: Int = 16_000, gainQ8: Int16 = 0) {
        precondition((1...2).contains(channels), "channels out of range")
        precondition((0...65_535).contains(preSkip48k), "pre-skip out of range")
        self.channels = channels
        self.preSkip48k = preSkip48k
        self.inputRateHertz = inputRateHertz
        self.gainQ8 = gainQ8
    }

    static let magic = Array("OpusHead".utf8)

    var packet: [UInt8] {
        var bytes: [UInt8] = Self.magic
        bytes += [1, UInt8(channels)]
        bytes += littleEndian(UInt16(preSkip48k))
        bytes += littleEndian(UInt32(clamping: inputRateHertz))
        bytes += littleEndian(gainQ8)
        bytes.append(0)
        return bytes
    }

    init(packet: [UInt8]) throws(OpusError) {
        guard packet.count >= 19, Array(packet[..<8]) == Self.magic else { throw .notOggOpus("no OpusHead") }
        // The high four bits are the major version; a newer minor one stays readable.
        guard packet[8] < 16 else { throw .notOggOpus("version") }
        guard packet[18] == 0, (1...2).contains(packet[9]) else { throw .notOggOpus("channel mapping") }
        channels = Int(packet[9])
        preSkip48k = Int(integer(packet, at: 10) as UInt16)
        inputRateHertz = Int(integer(packet, at: 12) as UInt32)
        gainQ8 = integer(packet, at: 16)
    }
}

/// The second packet (RFC 7845, 5.2): who made the file, and notes of the form NAME=value.
public struct OggOpusTags: Hashable, Sendable {
    public var vendor: String
    public var comments: [String]

    public init(vendor: String = "execora", comments: [String] = []) {
        self.vendor = vendor
        self.comments = comments
    }

    static let magic = Array("OpusTags".utf8)
    /// One page holds this much; the room writes and reads no larger.
    static let bytesMax = 60_000

    var packet: [UInt8] {
        var packet = Self.magic + littleEndian(UInt32(vendor.utf8.count)) + Array(vendor.utf8)
        packet += littleEndian(UInt32(comments.count))
        for comment in comments { packet += littleEndian(UInt32(comment.utf8.count)) + Array(comment.utf8) }
        precondition(packet.count <= Self.bytesMax, "tags over their maximum")
        return packet
    }

    init(packet: [UInt8]) throws(OpusError) {
        guard packet.count >= 16, Array(packet[..<8]) == Self.magic else { throw .notOggOpus("no OpusTags") }
        var at = 8
        func text() throws(OpusError) -> String {
            guard packet.count - at >= 4 else { throw .notOggOpus("tags") }
            let length = Int(integer(packet, at: at) as UInt32)
            at += 4
            guard length <= packet.count - at else { throw .notOggOpus("tags") }
            defer { at += length }
            return String(decoding: packet[at..<at + length], as: UTF8.self)
        }
        vendor = try text()
        guard packet.count - at >= 4 else { throw .notOggOpus("tags") }
        let count = Int(integer(packet, at: at) as UInt32)
        at += 4
        guard count <= (packet.count - at) / 4 else { throw .notOggOpus("tags") }
        comments = []
        for _ in 0..<count { comments.append(try text()) }
    }
}
