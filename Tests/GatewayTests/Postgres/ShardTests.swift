import Ledger
import LedgerSync
import Seals
import Testing

@testable import execora_gateway

/// Several PostgreSQL: each shop wholly in one of them, by the bucket of its id.
@Suite(.serialized) struct ShardTests {
    /// Known answers: bucket = first 16 bits of SHA-256(id) mod 4096, place = bucket * count / 4096.
    @Test func `a shop's place follows from its id alone`() {
        // sha256(16 zero bytes) = 374708ff...: 0x3747 mod 4096 = 0x747 = 1863.
        #expect(Fleet.place(of: .init(repeating: 0, count: 16), among: 1) == 0)
        #expect(Fleet.place(of: .init(repeating: 0, count: 16), among: 3) == 1863 * 3 / 4096)
        #expect(Fleet.place(of: .init(repeating: 0, count: 16), among: 64) == 1863 * 64 / 4096)
        var counts = [0, 0, 0]
        for index in 0..<3000 { counts[Fleet.place(of: FleetStore.shopID(named: "shop \(index)"), among: 3)] += 1 }
        #expect(counts.allSatisfy { (900...1100).contains($0) })
    }

    /// One instance is killed under load, another is put back to an old backup: the third's shops notice nothing, the
    /// killed one's come back by themselves, and the restored one's devices send again what it lost.
    @Test func `one of three is killed, one restored from an old backup, nothing is lost`() async throws {
        let clusters = try (0..<3).map { _ in try PostgresCluster() }
        defer { for cluster in clusters { cluster.end() } }
        let places = try clusters.enumerated().map {
            PostgresPlace(dsn: $1.dsn(try $1.database()), index: $0, count: 3)
        }
        for place in places { _ = try PostgresMigration.run(place) }
        try await GatewayRig.run(places: places) { rig in
            // One counter in each instance.
            var counters: [CounterDouble?] = [nil, nil, nil]
            for index in 0... {
                let place = Fleet.place(of: FleetStore.shopID(named: "shop \(index)"), among: 3)
                if counters[place] == nil {
                    counters[place] = try await CounterDouble.enrolled(at: rig, shop: "shop \(index)")
                }
                if counters.allSatisfy({ $0 != nil }) { break }
            }
            let all = counters.compactMap { $0 }
            let chains = all.map { $0.chain(9) }
            func send(_ index: Int, _ range: Range<Int>) async throws -> CounterDouble.Answer {
                try await all[index].sync(all[index].batch(chains[index][range]), to: rig)
            }
            for index in 0..<3 { #expect(try await send(index, 0..<3).status == 200) }
            let backup = clusters[2].folder + "/dump"
            try clusters[2].run("pg_dump", "-h", clusters[2].folder, "-U", "execora", "-Fc", "-f", backup, "fleet1")
            for index in 0..<3 { #expect(try await send(index, 3..<6).status == 200) }

            clusters[1].kill()
            try clusters[2].query(
                "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'fleet1'")
            try clusters[2].query("postgres", "DROP DATABASE fleet1 WITH (FORCE)")
            try clusters[2].query("postgres", "CREATE DATABASE fleet1")
            try clusters[2].run("pg_restore", "-h", clusters[2].folder, "-U", "execora", "-d", "fleet1", backup)

            #expect(try await send(0, 6..<9).status == 200)
            #expect(try await send(1, 6..<9).status == 503)
            try clusters[1].start()
            #expect(try await eventually { try await send(1, 6..<9).status == 200 })

            // The restored one lacks entries 4 to 6: it says so, and the device goes on from there.
            var gap = try await send(2, 6..<9)
            for _ in 0..<20 where gap.status == 503 {
                try await Task.sleep(for: .milliseconds(200))
                gap = try await send(2, 6..<9)
            }
            #expect(gap.status == 409 && gap.errorCode == "gap" && gap.json["error"]?["next_seq"]?.integer == 4)
            #expect(try await send(2, 3..<9).status == 200)
            let heads = try await rig.fleet.heads()
            for (counter, chain) in zip(all, chains) {
                #expect(heads.first { $0.device == counter.device }?.hash == chain[8].hash)
            }
        }
    }

    @Test func `instances named in another order are refused`() async throws {
        let cluster = try await PostgresCluster.shared.get()
        let dsn = cluster.dsn(try cluster.database())
        _ = try PostgresMigration.run(PostgresPlace(dsn: dsn, index: 0, count: 2))
        #expect(throws: GatewayError.self) { try PostgresMigration.run(PostgresPlace(dsn: dsn, index: 1, count: 2)) }
        let store = try await FleetStore.open(PostgresPlace(dsn: dsn, index: 1, count: 2))
        await #expect(throws: GatewayError.self) { try await store.heads() }
    }
}

@Suite struct MigrationTests {
    @Test func `eight that migrate at once leave one schema and one store id`() async throws {
        let cluster = try await PostgresCluster.shared.get()
        let place = PostgresPlace(dsn: cluster.dsn(try cluster.database()), index: 0, count: 1)
        let moved = try await withThrowingTaskGroup(of: Int64.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let (from, to) = try PostgresMigration.run(place)
                    return to - from
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(moved == PostgresSchema.version)
        let stores = [try await FleetStore.open(place), try await FleetStore.open(place)]
        let ids = [try await stores[0].storeID(), try await stores[1].storeID()]
        #expect(ids[0] == ids[1] && ids[0].count == 16)
    }

    @Test func `a database that was not migrated, is newer, or does not flush is refused with a hint`() async throws {
        let cluster = try PostgresCluster()
        defer { cluster.end() }
        let name = try cluster.database()
        let place = PostgresPlace(dsn: cluster.dsn(name), index: 0, count: 1)
        func reason() async throws -> String {
            do {
                _ = try await FleetStore.open(place).storeID()
                return ""
            } catch { return "\(error)" }
        }
        #expect(try await reason().contains("migrate"))
        _ = try PostgresMigration.run(place)
        #expect(try await reason() == "")
        try cluster.query(name, "UPDATE meta SET value = '99' WHERE name = 'version'")
        #expect(try await reason().contains("format 99"))
        try cluster.query(name, "UPDATE meta SET value = '\(PostgresSchema.version)' WHERE name = 'version'")
        try cluster.query("postgres", "ALTER SYSTEM SET fsync = off")
        try cluster.query("postgres", "SELECT pg_reload_conf()")
        #expect(try await eventually { try await reason().contains("fsync off") })
    }

    /// Two gateways over one database: one device's batches go to both in turn, its chain is one.
    @Test func `two gateways serve one database`() async throws {
        let places = try await TestStore.postgres.places()
        let place = TemporaryFolder()
        let path = place.path + "/gateway"
        try await GatewayRig.run(path: path, places: places) { first in
            try await GatewayRig.run(path: path, places: places) { second in
                let counter = try await CounterDouble.enrolled(at: first)
                let chain = counter.chain(20)
                var receipts: [Receipt] = []
                for index in 0..<20 {
                    let answer = try await counter.sync(
                        counter.batch(chain[index...index]), to: index.isMultiple(of: 2) ? first : second)
                    receipts.append(try Receipt.read(answer.bytes, key: #require(counter.receiptKey)))
                }
                #expect(receipts.map(\.number) == Array(1...20))
                // The same batch to both at once is stored once.
                let more = counter.chain(5, after: chain)
                let batch = try counter.batch(more[20...])
                async let one = counter.sync(batch, to: first)
                async let two = counter.sync(batch, to: second)
                #expect(try await one.bytes == (try await two.bytes))
                #expect(try await first.store.heads().map(\.seq) == [25])
            }
        }
    }
}
