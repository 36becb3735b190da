import Hummingbird
import JSONText
import Ledger
import LedgerSync
import Seals

/// `POST /v1/sync`: one signed batch up, one signed receipt down. What is well-formed and authentic is always stored;
/// whether it is good business is judged later, elsewhere.
struct SyncRoute: Sendable {
    let fleet: Fleet
    /// One a store, in the fleet's order.
    let queues: [SyncQueue]
    let pace: SyncPace
    let metrics: GatewayMetrics
    let now: @Sendable () -> Int64
    let clock = ContinuousClock()

    func answer(_ request: Request, context: DeviceContext) async throws -> Response {
        let sender = context.sender
        if let wait = pace.wait(device: sender.device, nowMilliseconds: now()) {
            throw Refusal.busy("too many batches", retryAfterSeconds: wait)
        }
        let bytes = try await request.bytes(upTo: SyncLimits.wireBytesMax)
        let start = clock.now
        let batch: SyncBatch
        let key = try Self.ledgerKey(of: sender)
        do throws(SyncError) { batch = try SyncBatch.read(bytes, key: key) } catch {
            if error == .notAuthentic, let claim = SyncBatch.claim(of: bytes), claim.device == sender.device,
                claim.keyID != key.keyID
            {
                // This store may have lost the change of key: the device shows it again.
                throw Refusal(
                    status: .forbidden, code: "ledger_key",
                    message: "the batch is signed by another key than the one this device has here")
            }
            throw Refusal(
                status: .init(code: error.httpStatus), code: error.code, message: "the batch is refused: \(error)")
        }
        // The certificate says who sends; a batch of another device is not taken from it, however well signed.
        guard batch.header.device == sender.device, batch.header.shop == sender.shop else {
            throw Refusal(
                status: .forbidden, code: "identity",
                message: "the batch names another shop or device than the certificate")
        }
        context.note.add("first_seq", .integer(batch.header.firstSeq))
        context.note.add("entries", .integer(Int64(batch.entries.count)))

        let verified = VerifiedBatch(batch, envelope: bytes, trace: CorrelationHeader.traceparent(request) ?? "")
        let outcome = try await queues[fleet.index(of: sender.shop)].append(verified, of: sender)
        metrics.observe("execora_sync_milliseconds", milliseconds: (clock.now - start).milliseconds)
        switch outcome {
        case .appended(let receipt, let entries):
            metrics.count("execora_sync_entries_total", by: Int64(entries))
            return told(
                context, "appended",
                .init(status: .ok, headers: Self.headers, body: .init(byteBuffer: .init(bytes: receipt))))
        case .replayed(let receipt):
            return told(
                context, "replayed",
                .init(status: .ok, headers: Self.headers, body: .init(byteBuffer: .init(bytes: receipt))))
        case .gap(let nextSeq, let head):
            return told(context, "gap", Self.conflict("gap", "entries before the batch are missing", nextSeq, head))
        case .fork(let epoch, let nextSeq, let head):
            return told(
                context, "fork", Self.conflict("fork", "another history than the one held", nextSeq, head, epoch))
        }
    }

    private func told(_ context: DeviceContext, _ outcome: String, _ response: Response) -> Response {
        metrics.count("execora_sync_batches_total", labels: [("outcome", outcome)])
        context.note.add("outcome", .string(outcome))
        return response
    }

    private static let headers: HTTPFields = [.contentType: "application/x-execora-receipt"]

    private static func conflict(
        _ code: String, _ message: String, _ nextSeq: Int64, _ head: [UInt8], _ epoch: Int64? = nil
    ) -> Response {
        Refusal(
            status: .conflict, code: code, message: message,
            members: [.init("next_seq", .integer(nextSeq)), .init("head", .string(Hex.text(head)))]
                + (epoch.map { [.init("epoch", .integer($0))] } ?? [])
        ).response
    }

    private static func ledgerKey(of device: DeviceRecord) throws -> VerifyingKey {
        do { return try VerifyingKey(bytes: device.ledgerKey) } catch {
            throw GatewayError.state(problem: "a device's ledger key is damaged", hint: "restore gateway.sqlite")
        }
    }

    /// Ed25519 as used here is deterministic, so what is stored and what is sent are the same bytes.
    static func sign(
        _ key: SigningKey
    ) -> @Sendable (ReceiptContent) throws(GatewayError) -> (bytes: [UInt8], hash: [UInt8]) {
        { (content) throws(GatewayError) in
            do {
                let bytes = try content.receipt.signed(by: key)
                return (bytes, Receipt.hash(of: bytes))
            } catch {
                throw .state(problem: "the receipt key does not sign", hint: "check receipt.key")
            }
        }
    }
}
