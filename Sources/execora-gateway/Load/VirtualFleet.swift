import Crypto
import LedgerSync
import NIOCore
import NIOSSL
import Seals

/// A fleet that is larger than a machine can hold open: its devices come in turn, each opens its own TLS line with its
/// own certificate, sends, checks its receipt and goes. Keys and certificates are made beforehand with the state
/// folder's own authority, and the store is told of all devices in a few transactions: enrolling each over the
/// network is another measurement.
struct VirtualFleet: Sendable {
    /// Counters of one shop. Most shops have one; the store's keys begin with the shop.
    static let countersOfShop = 4
    /// Devices made known to a store in one transaction.
    static let admittedAtOnce = 1000

    /// What a device is until it wakes: 1 kB.
    struct Sleeper: Sendable {
        var seed: [UInt8]
        var tlsKeyDER: [UInt8]
        var certificatePEM: String
        var subject: CertificateSubject
    }

    let sleepers: [Sleeper]

    static func made(
        _ count: Int, authority: CertificateAuthority, fleet: Fleet, nowMilliseconds now: Int64
    ) async throws -> VirtualFleet {
        let name = Hex.text(Randomness.bytes(4))
        let chunk = 500
        let made = try await withThrowingTaskGroup(of: [(Sleeper, CertificateAuthority.Issued)].self) { group in
            for start in stride(from: 0, to: count, by: chunk) {
                group.addTask {
                    try (start..<min(count, start + chunk)).map { index in
                        let shop = FleetStore.shopID(named: "fleet \(name) \(index / countersOfShop)")
                        return try sleeper(
                            shop: shop, series: FleetStore.series(index % countersOfShop), authority: authority,
                            now: now)
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        // Each store hears of its own shops.
        let byStore = Dictionary(grouping: made) { fleet.index(of: $0.0.subject.shop) }
        for (index, all) in byStore {
            for start in stride(from: 0, to: all.count, by: admittedAtOnce) {
                let some = all[start..<min(all.count, start + admittedAtOnce)]
                try await fleet.stores[index].admit(some.map { ($0.0.subject, $0.1) }, nowMilliseconds: now)
            }
        }
        return VirtualFleet(sleepers: made.map(\.0))
    }

    private static func sleeper(
        shop: [UInt8], series: String, authority: CertificateAuthority, now: Int64
    ) throws -> (Sleeper, CertificateAuthority.Issued) {
        let (seed, tlsKey) = (Randomness.bytes(32), P256.Signing.PrivateKey())
        let ledgerKey = try SigningKey(seed: seed).verifyingKey
        let subject = CertificateSubject(
            device: DeviceIdentity.deviceID(of: ledgerKey), shop: shop, series: series, ledgerKey: ledgerKey.bytes)
        let issued = try authority.device(key: tlsKey.publicKey, subject: subject, nowMilliseconds: now)
        return (
            Sleeper(
                seed: seed, tlsKeyDER: Array(tlsKey.derRepresentation), certificatePEM: issued.chainPEM,
                subject: subject), issued
        )
    }

    struct Result: Sendable {
        /// From the first byte of the connection to the checked receipt of the first batch.
        var contacts: [Duration] = []
        /// From a batch to its checked receipt, on an open line.
        var rounds: [Duration] = []
    }

    /// All devices, `atOnce` of them at any time.
    func go(
        atOnce: Int, batches: Int, entries: Int, bodyBytes: Int, place: VirtualCounter.Place, receiptKey: VerifyingKey
    ) async throws -> Result {
        let address = try place.address()
        let clock = ContinuousClock()
        return try await withThrowingTaskGroup(of: Result.self) { group in
            // Each lane wakes one device after another, so no more than `atOnce` are awake.
            for lane in 0..<atOnce {
                group.addTask {
                    var result = Result()
                    for index in stride(from: lane, to: sleepers.count, by: atOnce) {
                        let sleeper = sleepers[index]
                        let key = try SigningKey(seed: sleeper.seed)
                        let subject = sleeper.subject
                        var counter = VirtualCounter(
                            ledgerKey: key,
                            identity: DeviceIdentity(
                                device: subject.device, shop: subject.shop, series: subject.series,
                                receiptKey: receiptKey),
                            tls: try place.tls(
                                chainPEM: sleeper.certificatePEM,
                                key: NIOSSLPrivateKey(bytes: sleeper.tlsKeyDER, format: .der)), place: place)
                        let events = counter.invented(batches * entries, bodyBytes: bodyBytes)
                        let start = clock.now
                        let line = try await counter.open(at: address)
                        for batch in 0..<batches {
                            let sent = clock.now
                            try await counter.sendBatch(
                                Array(events[batch * entries..<(batch + 1) * entries]), over: line)
                            result.rounds.append(clock.now - sent)
                            if batch == 0 { result.contacts.append(clock.now - start) }
                        }
                        await line.end()
                    }
                    return result
                }
            }
            return try await group.reduce(into: Result()) {
                $0.contacts += $1.contacts
                $0.rounds += $1.rounds
            }
        }
    }
}
