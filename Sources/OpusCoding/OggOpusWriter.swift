/// Makes an Ogg Opus file (RFC 7845) of packets as they come: a page a second, the last one marked as the end.
///
/// A value that only gives bytes; the caller appends them to a file or an array in the order given.
/// Holds at most one second of packets. A page goes out when the packet behind it comes, because only the
/// last page may carry the end mark.
public struct OggOpusWriter: Sendable {
    /// One second at 48 kHz.
    static let pageSamples48k = 48_000

    private let head: OggOpusHead
    private let tags: OggOpusTags
    private let serial: UInt32
    private var sequence: UInt32 = 0
    /// Samples at 48 kHz of all packets taken.
    private var granule: Int64 = 0
    private var pageSamples = 0
    private var lacing: [UInt8] = []
    private var body: [UInt8] = []

    /// - Parameter serial: any number; two files that may be joined need two numbers.
    public init(head: OggOpusHead, tags: OggOpusTags = .init(), serial: UInt32) {
        self.head = head
        self.tags = tags
        self.serial = serial
    }

    /// The two head pages; first of all calls.
    public mutating func begin() -> [UInt8] {
        precondition(sequence == 0, "the file has begun already")
        let headPage = page(.begin, granule: 0, lacing: OggPage.lacing(ofPacketBytes: 19), body: head.packet)
        let tagsPacket = tags.packet
        let tagsPage = page(
            [], granule: 0, lacing: OggPage.lacing(ofPacketBytes: tagsPacket.count), body: tagsPacket)
        return headPage + tagsPage
    }

    /// - Returns: the page before this packet when it is whole, else nothing.
    /// - Throws: `malformedPacket` when it is no Opus packet; the file goes on without it.
    public mutating func add(_ packet: [UInt8]) throws(OpusError) -> [UInt8] {
        precondition(sequence >= 2, "the file has not begun")
        guard packet.count <= OpusSpeechEncoder.packetBytesMax, let samples = OpusPacket.samples48k(packet) else {
            throw .malformedPacket
        }
        let segments = OggPage.lacing(ofPacketBytes: packet.count)
        var out: [UInt8] = []
        if pageSamples >= Self.pageSamples48k || lacing.count + segments.count > OggPage.segmentsMax {
            out = close([], granule: granule)
        }
        lacing += segments
        body += packet
        pageSamples += samples
        granule += Int64(samples)
        return out
    }

    /// The last page; last of all calls.
    /// - Parameter inputSamples: how many 16 kHz samples went into the encoder, padding not counted. With it the
    ///   file plays exactly that many, as far as its packets reach; nil plays all there is.
    public mutating func end(inputSamples: Int? = nil) -> [UInt8] {
        precondition(sequence >= 2, "the file has not begun")
        var last = granule
        if let inputSamples {
            // End trimming (RFC 7845, 4.4) reaches into the last page only: not below what the pages before it tell.
            let wanted = Int64(head.preSkip48k) + Int64(inputSamples) * 3
            last = max(min(wanted, granule), granule - Int64(pageSamples))
        }
        return close(.end, granule: last)
    }

    private mutating func close(_ flags: OggPage.Flags, granule: Int64) -> [UInt8] {
        defer { (lacing, body, pageSamples) = ([], [], 0) }
        return page(flags, granule: granule, lacing: lacing, body: body)
    }

    private mutating func page(_ flags: OggPage.Flags, granule: Int64, lacing: [UInt8], body: [UInt8]) -> [UInt8] {
        defer { sequence += 1 }
        return OggPage(
            flags: flags, granule: granule, serial: serial, sequence: sequence, lacing: lacing, body: body
        ).bytes
    }
}

extension OggOpusWriter {
    /// A whole file at once: of a turn that waited, for the spool.
    /// - Throws: `malformedPacket` at the first packet that is none.
    public static func file(
        of packets: [[UInt8]], head: OggOpusHead, tags: OggOpusTags = .init(), serial: UInt32, inputSamples: Int? = nil
    ) throws(OpusError) -> [UInt8] {
        var writer = OggOpusWriter(head: head, tags: tags, serial: serial)
        var file = writer.begin()
        for packet in packets { file += try writer.add(packet) }
        return file + writer.end(inputSamples: inputSamples)
    }
}
