/// How a batch's payload lies on the wire. What is signed is the payload itself, so all three are one batch.
public enum PayloadCodec: Int64, Hashable, Sendable {
    case none = 0
    case zstandard = 1
    /// `EventColumns`. A gateway of before this codec answers 400: gateways are updated before devices.
    case columns = 2

    /// Turning fewer events gains little.
    private static let columnsEventsMin = 24
    /// Columns must gain a sixteenth over Zstandard alone: they cost both sides more time.
    private static let columnsGain = 16

    /// The shortest of the three.
    static func pack(_ payload: [UInt8], of bodies: [[UInt8]]) -> (PayloadCodec, [UInt8]) {
        guard payload.count >= Compression.payloadBytesMin else { return (.none, payload) }
        let plain = Compression.compressed(payload)
        let best = plain ?? payload
        if bodies.count >= columnsEventsMin, let turned = EventColumns.turned(bodies),
            turned.count < best.count - best.count / columnsGain,
            // What cannot come out as it went in does not go in.
            let again = try? EventColumns.restored(turned[...], count: bodies.count, payloadBytes: payload.count),
            again == payload
        {
            return (.columns, turned)
        }
        return plain.map { (.zstandard, $0) } ?? (.none, payload)
    }

    func unpack(_ bytes: ArraySlice<UInt8>, count: Int, payloadBytes: Int) throws(SyncError) -> [UInt8] {
        switch self {
        case .none:
            guard payloadBytes == bytes.count else { throw .malformed("payload of another length") }
            return Array(bytes)
        case .zstandard: return try Compression.expanded(bytes, to: payloadBytes)
        case .columns: return try EventColumns.restored(bytes, count: count, payloadBytes: payloadBytes)
        }
    }
}
