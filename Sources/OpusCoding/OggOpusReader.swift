/// An Ogg Opus file as read: what is whole in it, and how much was not.
public struct OggOpusRecording: Hashable, Sendable {
    public struct Packet: Hashable, Sendable {
        public var bytes: [UInt8]
        /// Samples at 48 kHz up to the end of this packet, as the page tells; nil but for the last packet of a page.
        public var granule: Int64?
        /// Something before this packet is missing.
        public var isAfterGap: Bool
    }

    public var head: OggOpusHead
    public var tags: OggOpusTags
    public var packets: [Packet] = []
    /// Runs of bytes that are no intact page of this stream; each was skipped.
    public var damagedRuns = 0
    /// Pages whose number never came.
    public var missingPages = 0
    /// The page with the end mark was read: the file was not cut short.
    public var isEnded = false
    /// Where the end page says the sound ends, in samples at 48 kHz, pre-skip counted.
    public var endGranule: Int64?

    public var isWhole: Bool { damagedRuns == 0 && missingPages == 0 && isEnded }
}

/// Reads an Ogg Opus file of one stream. Every page is checked by its CRC; a damaged one is skipped and counted,
/// a damaged head refuses the file. Bounded in size and in work, whatever the bytes are.
public enum OggOpusReader {
    public struct Limits: Hashable, Sendable {
        public var fileBytesMax: Int
        public var packetsMax: Int
        public var packetBytesMax: Int
        /// Places where a page seems to begin and does not; each may cost a checksum over 64 kB.
        public var falsePagesMax: Int

        public init(
            fileBytesMax: Int = 4 << 20, packetsMax: Int = 50 * 600, packetBytesMax: Int = 1_275 * 6,
            falsePagesMax: Int = 64
        ) {
            self.fileBytesMax = fileBytesMax
            self.packetsMax = packetsMax
            self.packetBytesMax = packetBytesMax
            self.falsePagesMax = falsePagesMax
        }
    }

    /// - Throws: `notOggOpus` when the head cannot be read, `tooLarge` over a limit, `tooDamaged`.
    public static func read(_ file: [UInt8], limits: Limits = .init()) throws(OpusError) -> OggOpusRecording {
        guard file.count <= limits.fileBytesMax else { throw .tooLarge("file") }
        guard case .page(let first, var at) = OggPage.read(file, at: 0), first.flags.contains(.begin),
            first.sequence == 0, first.lacing.count == 1
        else { throw .notOggOpus("first page") }
        let head = try OggOpusHead(packet: first.body)
        // Tags may span pages (a picture in them, say); the audio begins on a page of its own behind them.
        var tagBytes: [UInt8] = []
        var sequence: UInt32 = 1
        while true {
            guard case .page(let page, let end) = OggPage.read(file, at: at), page.serial == first.serial,
                page.sequence == sequence, page.flags.contains(.continued) == (sequence > 1)
            else { throw .notOggOpus("tags page") }
            tagBytes += page.body
            (at, sequence) = (end, sequence + 1)
            guard tagBytes.count <= OggOpusTags.bytesMax else { throw .tooLarge("tags") }
            if page.lacing.last != 255 { break }
        }
        var recording = OggOpusRecording(head: head, tags: try OggOpusTags(packet: tagBytes))
        var assembly = PacketAssembly(serial: first.serial, nextSequence: sequence, limits: limits)
        var falsePages = 0
        var isInDamage = false
        while at < file.count {
            if case .page(let page, let end) = OggPage.read(file, at: at), !recording.isEnded,
                try assembly.take(page, into: &recording)
            {
                (at, isInDamage) = (end, false)
                continue
            }
            if !isInDamage { recording.damagedRuns += 1 }
            (isInDamage, falsePages) = (true, falsePages + 1)
            guard falsePages <= limits.falsePagesMax else { throw .tooDamaged }
            at = nextCapture(file, after: at)
        }
        return recording
    }

    private static func nextCapture(_ file: [UInt8], after start: Int) -> Int {
        var at = start + 1
        while at < file.count {
            if file[at] == OggPage.capture[0], file[at...].starts(with: OggPage.capture) { return at }
            at += 1
        }
        return at
    }
}

/// Puts packets together from pages, across page ends and over gaps.
private struct PacketAssembly {
    let serial: UInt32
    var nextSequence: UInt32
    let limits: OggOpusReader.Limits
    private var partial: [UInt8]?
    private var hasGap = false

    init(serial: UInt32, nextSequence: UInt32, limits: OggOpusReader.Limits) {
        self.serial = serial
        self.nextSequence = nextSequence
        self.limits = limits
    }

    /// - Returns: false when the page is none of this stream's next ones.
    mutating func take(_ page: OggPage, into recording: inout OggOpusRecording) throws(OpusError) -> Bool {
        guard page.serial == serial, page.sequence >= nextSequence, page.sequence < .max else { return false }
        if page.sequence > nextSequence {
            recording.missingPages += Int(page.sequence - nextSequence)
            (partial, hasGap) = (nil, true)
        }
        nextSequence = page.sequence + 1
        // A packet that began on a lost page, or ends on none, is lost too.
        var isOrphan = page.flags.contains(.continued) && partial == nil
        if isOrphan { hasGap = true }
        if !page.flags.contains(.continued), partial != nil { (partial, hasGap) = (nil, true) }
        var at = 0
        var last: Int?
        for lace in page.lacing {
            if !isOrphan {
                partial = (partial ?? []) + page.body[at..<at + Int(lace)]
                guard partial!.count <= limits.packetBytesMax else { throw .tooLarge("packet") }
            }
            at += Int(lace)
            guard lace < 255 else { continue }
            if isOrphan {
                isOrphan = false
                continue
            }
            guard recording.packets.count < limits.packetsMax else { throw .tooLarge("recording") }
            recording.packets.append(.init(bytes: partial!, granule: nil, isAfterGap: hasGap))
            (last, partial, hasGap) = (recording.packets.count - 1, nil, false)
        }
        if let last, page.granule >= 0 { recording.packets[last].granule = page.granule }
        if page.flags.contains(.end) {
            recording.isEnded = true
            recording.endGranule = page.granule >= 0 ? page.granule : nil
        }
        return true
    }
}
