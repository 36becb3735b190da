import Hummingbird
import JSONText

/// The operations port: plain HTTP, for the machine's own monitor, never for the world.
struct OperationsRoutes: Sendable {
    let fleet: Fleet
    let speech: any SpeechToText
    let metrics: GatewayMetrics

    func add(to router: Router<OpenContext>) {
        /// The process answers.
        router.get("/healthz") { _, _ in Response.json(["status": "ok"]) }
        /// It can store, and recognise speech.
        router.get("/readyz") { _, _ in
            let isStoring = await fleet.isStanding()
            let isHearing = await speech.isReady
            var response = Response.json([
                "store": .bool(isStoring), "speech": .bool(isHearing),
            ])
            response.status = isStoring && isHearing ? .ok : .serviceUnavailable
            return response
        }
        router.get("/metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4"],
                body: .init(byteBuffer: .init(string: metrics.text)))
        }
    }
}
