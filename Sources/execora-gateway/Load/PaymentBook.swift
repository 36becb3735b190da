import Ledger
import Seals

/// A counter's real book, full of spoken payments: what a device that was away brings along.
enum PaymentBook {
    static let customers = 200

    /// - Parameters:
    ///   - path: nil keeps it in memory.
    ///   - entries: in all, customers included.
    static func make(
        path: String? = nil, identity: DeviceIdentity, entries: Int, random: inout SplitMix
    ) throws(BookError) -> LedgerStore {
        let book = try LedgerStore.open(
            path: path,
            configuration: LedgerConfiguration(
                deviceID: identity.device, shopID: identity.shop, series: identity.series,
                bootID: .init(repeating: 1, count: 16), monotonicMilliseconds: { 1 }))
        var clock = SystemClock.milliseconds() - 400 * 86_400_000
        var ids: [CustomerID] = []
        while try book.head().seq < Int64(entries) {
            let left = entries - Int(try book.head().seq)
            var requests: [LedgerStore.Request] = []
            for index in 0..<min(500, left) {
                clock += Int64(40_000 + random.next() % 260_000)
                let at = WallTime(milliseconds: clock)
                let id = ULID(at: at, using: &random)
                if ids.isEmpty {
                    if index == customers { break }
                    requests.append(
                        .init(
                            .createCustomer(CustomerDetails(name: "Customer \(index)"), opening: Paise(1_000_000_000)),
                            id: id, evidence: Evidence(confirmedBy: "technician"), at: at))
                    continue
                }
                let evidence = Evidence(
                    // The turn began when the wake word was heard, some seconds before.
                    turn: ULID(
                        at: WallTime(milliseconds: clock - Int64(1500 + random.next() % 4000)), using: &random),
                    transcriptHash: (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) },
                    confidenceMilli: Int64(700 + random.next() % 300), confirmedBy: "voice")
                let split = PaymentSplit(
                    amount: Paise(Int64(1 + random.next() % 1000) * 100), mode: index % 3 == 0 ? .upi : .cash)
                requests.append(
                    .init(
                        .receivePayment(ids[Int(random.next() % UInt64(ids.count))], [split]), id: id,
                        evidence: evidence, at: at))
            }
            let made = try book.performAll(requests)
            if ids.isEmpty { ids = made.compactMap { if case .customer(let id) = $0.outcome { id } else { nil } } }
        }
        return book
    }
}
