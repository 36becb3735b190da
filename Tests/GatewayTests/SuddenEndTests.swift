import Foundation
import JSONText
import Seals
import Testing

@testable import execora_gateway

/// The gateway's process, and its database's, killed again and again under load: what was receipted is there, what was
/// not comes again, and both sides end at the same heads.
@Suite(.serialized) struct SuddenEndTests {
    @Test(arguments: TestStore.allCases)
    func `kill -9 under load loses and doubles nothing`(kind: TestStore) async throws {
        let place = TemporaryFolder()
        let folder = StateFolder(path: place.path + "/gateway")
        _ = try await folder.make(names: [], nowMilliseconds: SystemClock.milliseconds())
        let cluster = kind == .postgres ? try PostgresCluster() : nil
        defer { cluster?.end() }
        var places: [PostgresPlace] = []
        if let cluster { places = [PostgresPlace(dsn: cluster.dsn(try cluster.database()), index: 0, count: 1)] }
        for place in places { _ = try PostgresMigration.run(place) }
        let ports = try (0..<3).map { _ in try Self.freePort() }
        var configuration: [JSONValue.Member] = [
            .init("state", .string(folder.path)), .init("device_port", .integer(Int64(ports[0]))),
            .init("enrol_port", .integer(Int64(ports[1]))), .init("operations_port", .integer(Int64(ports[2]))),
            .init("stt", ["http": ["url": "http://127.0.0.1:9/v1", "model": "any"]]),
            .init("sync_burst", 10_000), .init("sync_per_minute", 10_000),
        ]
        if !places.isEmpty {
            configuration.append(.init("store", ["postgres": .array(places.map { .string($0.dsn) })]))
        }
        let file = folder.path + "/config.json"
        try PrivateFile.write(JSONValue.object(configuration).bytes, to: file)
        let fleet =
            places.isEmpty
            ? try Fleet.embedded(await FleetStore.open(path: folder.database), path: folder.database)
            : try await Fleet.postgres(places)

        var serving = try GatewayProgram.start("serve", "--config", file)
        defer { serving.end() }
        _ = serving.firstLine()
        let run = BadLineRun(
            devices: 5, entries: 10_000, batchEntries: 10, seed: 11,
            trustPEM: try folder.text(folder.rootCertificate, secret: false), enrolPort: ports[1],
            devicePort: ports[0], line: .init())
        async let result = run.go(fleet: fleet)
        // Enrolment is not what is tried here: the first kill waits until every device has had an answer.
        for _ in 0..<1200 {
            let heads = (try? await fleet.heads()) ?? []
            if heads.count == 5, heads.allSatisfy({ $0.seq > 0 }) { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        var kills = 0
        while kills < 6, ((try? await fleet.heads()) ?? []).map(\.seq).reduce(0, +) < 9000 {
            try await Task.sleep(for: .milliseconds(kills == 0 ? 100 : 600))
            let running = serving
            if kills.isMultiple(of: 2) || cluster == nil {
                kill(running.process.processIdentifier, SIGKILL)
                running.process.waitUntilExit()
                serving = try GatewayProgram.start("serve", "--config", file)
                _ = serving.firstLine()
            } else if let cluster {
                try await onOwnThread {
                    cluster.kill()
                    try cluster.start()
                }
            }
            kills += 1
            // The test's own reading of heads may meet the database in its fall.
            for _ in 0..<100 where (try? await fleet.heads()) == nil { try await Task.sleep(for: .milliseconds(100)) }
        }
        let ended = try await result
        #expect(ended.headsEqual && kills >= 1)
        #expect(try await fleet.entriesHeld() == 10_000)
    }

    /// A port that was free a moment ago.
    private static func freePort() throws -> Int {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) }
        }
        try #require(code == 0)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
