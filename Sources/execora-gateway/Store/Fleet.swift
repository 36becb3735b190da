import Seals

/// Who stands behind a client certificate; read anew for every request.
struct DeviceRecord: Hashable, Sendable {
    var shop: [UInt8]
    var device: [UInt8]
    var series: String
    var ledgerKey: [UInt8]
    /// The device or this certificate of it was revoked.
    var isRevoked: Bool
}

/// Where a device's chain stands in this store.
struct DeviceHead: Hashable, Sendable {
    var shop: [UInt8]
    var device: [UInt8]
    var epoch: Int64
    /// Of the last entry held; 0 before the first.
    var seq: Int64
    var hash: [UInt8]
}

/// All shops: one store, or several, each shop wholly in one of them. A store that fails takes its own shops along
/// and no others.
struct Fleet: Sendable {
    /// Shops are in buckets, and each store holds a run of buckets: another number of stores moves whole buckets.
    static let buckets = 4096

    let stores: [FleetStore]
    private let directories: [DeviceDirectory]
    private let lookups: [LookupQueue]

    /// Connections that one database takes batches over: while one waits for the disk another is filled.
    private let lanes: [[FleetStore]]

    private init(stores: [FleetStore], directories: [DeviceDirectory], lanes: [[FleetStore]]) {
        self.stores = stores
        self.directories = directories
        self.lanes = lanes
        lookups = directories.map { LookupQueue($0) }
    }

    /// The embedded store alone.
    static func embedded(_ store: FleetStore, path: String) throws -> Fleet {
        Fleet(stores: [store], directories: [try DeviceDirectory(path: path)], lanes: [[store]])
    }

    static func postgres(_ places: [PostgresPlace], lanes: Int = 2) async throws -> Fleet {
        precondition(!places.isEmpty, "a fleet without a store")
        var (stores, all): ([FleetStore], [[FleetStore]]) = ([], [])
        for place in places {
            let store = try await FleetStore.open(place)
            var own = [store]
            for _ in 1..<max(1, lanes) { own.append(try await FleetStore.open(place)) }
            stores.append(store)
            all.append(own)
        }
        return Fleet(stores: stores, directories: places.map { DeviceDirectory($0) }, lanes: all)
    }

    /// Which store a shop is in: of `count` stores, the one that holds its bucket.
    static func place(of shop: [UInt8], among count: Int) -> Int {
        let digest = SHA256.digest(shop)
        let bucket = (Int(digest[0]) << 8 | Int(digest[1])) % buckets
        return bucket * count / buckets
    }

    func index(of shop: [UInt8]) -> Int { Self.place(of: shop, among: stores.count) }
    func store(of shop: [UInt8]) -> FleetStore { stores[index(of: shop)] }

    /// One queue a store, in the order of the stores.
    func queues(sign: @escaping FleetStore.Sign, now: @escaping @Sendable () -> Int64) -> [SyncQueue] {
        lanes.map { SyncQueue(lanes: $0, sign: sign, now: now) }
    }

    /// - Parameter shop: as the certificate says; nil in one of an earlier gateway, when every store is asked.
    func device(shop: [UInt8]?, fingerprint: [UInt8]) async throws -> DeviceRecord? {
        if let shop { return try await lookups[index(of: shop)].device(.init(shop: shop, fingerprint: fingerprint)) }
        for directory in directories {
            if let device = try await directory.device(anywhere: fingerprint) { return device }
        }
        return nil
    }

    func newCode(shop name: String, life: Duration, nowMilliseconds now: Int64) async throws -> (
        code: EnrolCode, shop: [UInt8]
    ) {
        try await store(of: FleetStore.shopID(named: name)).newCode(shop: name, life: life, nowMilliseconds: now)
    }

    /// Which store a code is in is not known from the code; enrolling is rare enough to ask each.
    func enrol(
        codeHash: [UInt8], requestHash: [UInt8], device: [UInt8], ledgerKey: [UInt8], nowMilliseconds now: Int64,
        issue:
            @escaping @Sendable (_ shop: [UInt8], _ device: [UInt8], _ series: String) throws(GatewayError) -> (
                CertificateAuthority.Issued, [UInt8]
            )
    ) async throws -> FleetStore.Enrolment {
        var failure: (any Error)?
        for store in stores {
            do {
                let outcome = try await store.enrol(
                    codeHash: codeHash, requestHash: requestHash, device: device, ledgerKey: ledgerKey,
                    nowMilliseconds: now, issue: issue)
                if case .codeRefused = outcome { continue }
                return outcome
            } catch { failure = failure ?? error }
        }
        // A code that no store knows may be in the one that is down: that is not a wrong code.
        if let failure { throw failure }
        return .codeRefused
    }

    /// - Returns: false when no store knows the device.
    func revoke(device: [UInt8], nowMilliseconds now: Int64) async throws -> Bool {
        var isKnown = false
        for store in stores where try await store.revoke(device: device, nowMilliseconds: now) { isKnown = true }
        return isKnown
    }

    func heads() async throws -> [DeviceHead] {
        var heads: [DeviceHead] = []
        for directory in directories { heads += try await directory.heads() }
        return heads
    }

    /// - Returns: nil when no store knows the device.
    func openEpoch(device: [UInt8], nowMilliseconds now: Int64) async throws -> Int64? {
        for store in stores {
            if let epoch = try await store.openEpoch(device: device, nowMilliseconds: now) { return epoch }
        }
        return nil
    }

    /// The store a shop is in, and its id, by the name it was enrolled under.
    func shop(named name: String) async throws -> (store: FleetStore, id: [UInt8])? {
        for store in stores { if let id = try await store.shop(named: name) { return (store, id) } }
        return nil
    }

    /// All entries of all journals.
    func entriesHeld() async throws -> Int64 {
        var total: Int64 = 0
        for store in stores { total += try await store.entriesHeld() }
        return total
    }

    /// Every store answers.
    func isStanding() async -> Bool {
        for directory in directories where (try? await directory.stands()) != true { return false }
        return true
    }
}
