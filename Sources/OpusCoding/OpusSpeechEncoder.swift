import COpus

// OpusCoding: 16 kHz mono samples -> Opus packets -> Ogg pages, and back. The only importer of libopus.
// No thread of its own: a coder belongs to the thread that holds it (on the device the uplink's, never capture's).
// Largest it holds: one encoder (~30 kB), one decoder (~18 kB), one second of packets; a file read is bounded
// by `OggOpusReader.Limits`.

/// Turns 20 ms of speech into one Opus packet.
///
/// 16 kHz mono, application VOIP, signal voice, VBR. Neither FEC nor DTX: the way is TCP, and the gateway
/// needs the background to find the end of speech by itself.
/// One handle serves for years; `reset` stands between turns, so no turn hears the one before.
public struct OpusSpeechEncoder: ~Copyable, @unchecked Sendable {
    // Sendable: the handle is owned by this one value, which cannot be copied and is mutated by its holder only.

    public static let sampleRateHertz = 16_000
    /// 20 ms.
    public static let frameSamples = 320
    /// The largest packet this encoder gives; at 24 kbit/s they are about 60 bytes.
    public static let packetBytesMax = 1_275

    public struct Configuration: Hashable, Sendable {
        /// 16 000 is the floor for poor links, 32 000 for archives. Payload measured by the design at 24 000: 21.6 kbit/s.
        public var bitrateBitsPerSecond: Int
        /// 0 to 10. Above 7 the cost doubles for nothing audible at 24 kbit/s.
        public var complexity: Int

        public init(bitrateBitsPerSecond: Int = 24_000, complexity: Int = 5) {
            self.bitrateBitsPerSecond = bitrateBitsPerSecond
            self.complexity = complexity
        }
    }

    /// Samples at 16 kHz by which decoded sound lags behind what was encoded. A file's pre-skip is three times this.
    public let lookaheadSamples: Int
    private let handle: OpaquePointer
    private let packet: UnsafeMutablePointer<UInt8>

    private init(handle: OpaquePointer, lookaheadSamples: Int) {
        self.handle = handle
        self.lookaheadSamples = lookaheadSamples
        packet = .allocate(capacity: Self.packetBytesMax)
    }

    deinit {
        opus_encoder_destroy(handle)
        packet.deallocate()
    }

    /// - Precondition: bit rate 6 000 to 64 000, complexity 0 to 10.
    public static func open(_ configuration: Configuration = .init()) throws(OpusError) -> OpusSpeechEncoder {
        precondition((6_000...64_000).contains(configuration.bitrateBitsPerSecond), "bit rate out of range")
        precondition((0...10).contains(configuration.complexity), "complexity out of range")
        var code: Int32 = 0
        guard let handle = opus_encoder_create(Int32(sampleRateHertz), 1, OPUS_APPLICATION_VOIP, &code) else {
            throw .library(code: code, operation: "opus_encoder_create")
        }
        var lookahead: Int32 = 0
        let steps: [(String, Int32)] = [
            ("bitrate", copus_encoder_set_bitrate(handle, Int32(configuration.bitrateBitsPerSecond))),
            ("complexity", copus_encoder_set_complexity(handle, Int32(configuration.complexity))),
            ("vbr", copus_encoder_set_vbr(handle, 1)),
            ("signal", copus_encoder_set_signal(handle, OPUS_SIGNAL_VOICE)),
            ("fec", copus_encoder_set_inband_fec(handle, 0)),
            ("dtx", copus_encoder_set_dtx(handle, 0)),
            ("lookahead", copus_encoder_get_lookahead(handle, &lookahead)),
        ]
        for (operation, code) in steps where code != OPUS_OK {
            opus_encoder_destroy(handle)
            throw .library(code: code, operation: operation)
        }
        return OpusSpeechEncoder(handle: handle, lookaheadSamples: Int(lookahead))
    }

    /// - Parameter frame: exactly 320 samples; not kept after return.
    public mutating func encode(_ frame: UnsafeBufferPointer<Int16>) throws(OpusError) -> [UInt8] {
        precondition(frame.count == Self.frameSamples, "frame of another size")
        return try taken(
            opus_encode(handle, frame.baseAddress!, Int32(frame.count), packet, Int32(Self.packetBytesMax)))
    }

    public mutating func encode(_ frame: [Int16]) throws(OpusError) -> [UInt8] {
        precondition(frame.count == Self.frameSamples, "frame of another size")
        return try taken(opus_encode(handle, frame, Int32(frame.count), packet, Int32(Self.packetBytesMax)))
    }

    private func taken(_ count: Int32) throws(OpusError) -> [UInt8] {
        guard count > 0 else { throw .library(code: count, operation: "opus_encode") }
        return Array(UnsafeBufferPointer(start: packet, count: Int(count)))
    }

    /// Forgets all sound so far: the next frame is encoded as the first of a new encoder.
    public mutating func reset() {
        precondition(copus_encoder_reset(handle) == OPUS_OK, "encoder refused to reset")
    }
}
