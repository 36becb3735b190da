import Hummingbird
import LedgerSync
import Seals

/// `GET /v1/shop-log?after=N&hash=HEX`: the log of the asker's shop behind entry N, signed entry by entry; empty where
/// nothing is new. 409 `shop_log` when this log has another entry at N: this store lost days, the asker reads anew.
struct ShopLogRoute: Sendable {
    let fleet: Fleet
    let receiptKey: SigningKey
    let metrics: GatewayMetrics
    let now: @Sendable () -> Int64

    func answer(_ request: Request, context: DeviceContext) async throws -> Response {
        let parameters = request.uri.queryParameters
        guard let after = parameters.get("after").flatMap({ Int64($0) }), after >= 0,
            let hash = parameters.get("hash").flatMap(Hex.bytes), hash.count == SHA256.byteCount
        else { throw Refusal.malformed("after is 0 or more, hash is 64 hex digits") }
        let rows = try await fleet.store(of: context.sender.shop).shopLog(
            for: context.sender, after: after, hash: hash, nowMilliseconds: now(), key: receiptKey)
        guard let rows else {
            throw Refusal(status: .conflict, code: "shop_log", message: "this log has another entry there")
        }
        if !rows.isEmpty { metrics.count("execora_shop_log_entries_total", by: Int64(rows.count)) }
        return Response(
            status: .ok, headers: [.contentType: "application/x-execora-shop-log"],
            body: .init(byteBuffer: .init(bytes: ShopLogPage.page(rows.map { $0.head + $0.body }))))
    }
}
