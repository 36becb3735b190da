import Hummingbird
import JSONText
import Seals

/// `POST /v1/ledger-key` on the device port: the asker's next ledger key, signed by its old one and by itself.
struct LedgerKeyRoute: Sendable {
    let fleet: Fleet
    let now: @Sendable () -> Int64

    func answer(_ request: Request, from sender: DeviceRecord) async throws -> Response {
        let body = try await request.bytes(upTo: 4096)
        guard let json = try? JSONValue(parsing: body), let handover = KeyHandover(json: json) else {
            throw Refusal.malformed("a handover has device, old_key, new_key, epoch, from_seq and two signatures")
        }
        guard handover.device == sender.device, handover.holds else {
            throw Refusal(
                status: .unprocessableContent, code: "handover",
                message: "the handover is another device's or not signed by both keys")
        }
        let store = fleet.store(of: sender.shop)
        switch try await store.handOver(handover, of: sender, nowMilliseconds: now()) {
        case .taken: return .json(["ledger_key": .string(Hex.text(handover.new.bytes))])
        case .notCurrent:
            throw Refusal(status: .conflict, code: "not_current", message: "the old key is not the one in use here")
        case .refused:
            throw Refusal(
                status: .forbidden, code: "key_refused",
                message: "the device had this key before, or changed its key \(KeyHandover.countMax) times")
        case .behind(let nextSeq):
            throw Refusal(
                status: .conflict, code: "behind", message: "entries of the old key are held behind this place",
                members: [.init("next_seq", .integer(nextSeq))])
        }
    }
}
