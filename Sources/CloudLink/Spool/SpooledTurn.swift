import Conversation
import JSONText
import Ledger
import OpusCoding

/// A turn that waits: what it says of itself, and its sound.
public struct SpooledTurn: Equatable, Sendable {
    public var hello: TurnHello
    /// Opus, 20 ms each.
    public var packets: [[UInt8]]

    public init(hello: TurnHello, packets: [[UInt8]]) {
        self.hello = hello
        self.packets = packets
    }

    /// The hello and the records to send it with: marked as late, so that the gateway answers "late" and nothing is
    /// executed silently. The end record is `TurnUpload.end`'s.
    public var late: (hello: TurnHello, records: [TurnFraming.Record]) {
        var late = hello
        late.isLate = true
        let records = packets.enumerated().map { index, packet in
            TurnFraming.Record(
                seq: UInt32(index), sampleOffset: UInt32(index * TurnHello.frameSamples), packet: packet)
        }
        return (late, records)
    }

    /// Encoder delay of libopus at 16 kHz VOIP: 104 samples, told at 48 kHz.
    static let preSkip48k = 312

    /// What is sealed: u32 length of the hello, little-endian | hello (JSON) | an Ogg Opus file any tool opens.
    func plain() throws(SpoolError) -> [UInt8] {
        let text = hello.fitting.json.bytes
        guard text.count <= TurnFraming.helloBytesMax, packets.count < TurnFraming.packetsMax,
            packets.allSatisfy({ $0.count <= TurnFraming.packetBytesMax })
        else { throw .tooLarge }
        let file: [UInt8]
        do {
            file = try OggOpusWriter.file(
                of: packets, head: OggOpusHead(preSkip48k: Self.preSkip48k),
                serial: UInt32(truncatingIfNeeded: hello.turn.low))
        } catch { throw .damaged }
        return withUnsafeBytes(of: UInt32(text.count).littleEndian) { Array($0) } + text + file
    }

    init(plain: [UInt8], turn: ULID) throws(SpoolError) {
        guard plain.count >= 4 else { throw .damaged }
        let length = (0..<4).reduce(0) { $0 | Int(plain[$1]) << (8 * $1) }
        guard length <= TurnFraming.helloBytesMax, length <= plain.count - 4 else { throw .damaged }
        let recording: OggOpusRecording
        do {
            hello = try TurnHello(json: JSONValue(parsing: plain[4..<4 + length]))
            recording = try OggOpusReader.read(Array(plain[(4 + length)...]))
        } catch { throw .damaged }
        guard hello.turn == turn, recording.isWhole else { throw .damaged }
        packets = recording.packets.map(\.bytes)
    }
}
