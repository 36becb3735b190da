import COpus

/// Turns Opus packets into 16 kHz mono samples; a stereo packet is mixed down by libopus.
public struct OpusSpeechDecoder: ~Copyable, @unchecked Sendable {
    // Sendable: the handle is owned by this one value, which cannot be copied and is mutated by its holder only.

    public static let sampleRateHertz = 16_000
    /// 120 ms, the longest packet Opus has (RFC 6716, 3.2.5).
    public static let packetSamplesMax = 1_920

    private let handle: OpaquePointer
    private let samples: UnsafeMutablePointer<Int16>

    private init(handle: OpaquePointer) {
        self.handle = handle
        samples = .allocate(capacity: Self.packetSamplesMax)
    }

    deinit {
        opus_decoder_destroy(handle)
        samples.deallocate()
    }

    /// - Parameter gainQ8: the head's output gain in 1/256 dB (RFC 7845, 5.1).
    public static func open(gainQ8: Int16 = 0) throws(OpusError) -> OpusSpeechDecoder {
        var code: Int32 = 0
        guard let handle = opus_decoder_create(Int32(sampleRateHertz), 1, &code) else {
            throw .library(code: code, operation: "opus_decoder_create")
        }
        guard case let code = copus_decoder_set_gain(handle, Int32(gainQ8)), code == OPUS_OK else {
            opus_decoder_destroy(handle)
            throw .library(code: code, operation: "gain")
        }
        return OpusSpeechDecoder(handle: handle)
    }

    /// - Returns: 40 to 1920 samples, 320 for a packet of this room's encoder.
    public mutating func decode(_ packet: [UInt8]) throws(OpusError) -> [Int16] {
        // An empty packet would mean "lost" to libopus, which `conceal` says.
        guard !packet.isEmpty else { throw .malformedPacket }
        let count = opus_decode(
            handle, packet, Int32(packet.count), samples, Int32(Self.packetSamplesMax), 0)
        guard count > 0 else {
            guard count == OPUS_INVALID_PACKET || count == OPUS_BUFFER_TOO_SMALL else {
                throw .library(code: count, operation: "opus_decode")
            }
            throw .malformedPacket
        }
        return Array(UnsafeBufferPointer(start: samples, count: Int(count)))
    }

    /// What libopus supposes was in 20 ms that did not arrive.
    public mutating func conceal() throws(OpusError) -> [Int16] {
        let frame = OpusSpeechEncoder.frameSamples
        let count = opus_decode(handle, nil, 0, samples, Int32(frame), 0)
        guard count == frame else { throw .library(code: count, operation: "opus_decode") }
        return Array(UnsafeBufferPointer(start: samples, count: frame))
    }

    public mutating func reset() {
        precondition(copus_decoder_reset(handle) == OPUS_OK, "decoder refused to reset")
    }
}

/// What a packet says of itself.
public enum OpusPacket {
    /// Length at 48 kHz, from the packet's first bytes; nil when it is no Opus packet.
    public static func samples48k(_ packet: [UInt8]) -> Int? {
        guard !packet.isEmpty else { return nil }
        let count = opus_packet_get_nb_samples(packet, Int32(packet.count), 48_000)
        return count > 0 ? Int(count) : nil
    }
}
