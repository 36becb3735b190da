import Ledger
import LedgerSync
import Testing

@testable import execora_gateway

/// The device's own sync against the whole gateway, through a line that refuses, delays, doubles and cuts.
@Suite struct BadLineTests {
    @Test(arguments: TestStore.allCases)
    func `a bad line loses nothing and doubles nothing`(kind: TestStore) async throws {
        try await GatewayRig.run(
            places: try await kind.places(), pace: SyncPace(burst: 100_000, perMinute: 10_000)
        ) { rig in
            let run = BadLineRun(
                devices: 6, entries: 6000, batchEntries: 60, seed: 7,
                trustPEM: try rig.folder.text(rig.folder.rootCertificate, secret: false), enrolPort: rig.ports.enrol,
                devicePort: rig.ports.device,
                line: .init(
                    refusedPerMille: 50, cutPerMille: 700, cutBytesMax: 30_000, latePerMille: 20, delayMilliseconds: 20)
            )
            let result = try await run.go(fleet: rig.fleet)
            #expect(result.headsEqual)
            #expect(try await rig.fleet.entriesHeld() == 6000)
            // The line was bad: connections broke, and batches came twice or late.
            #expect(result.cut > 5 && result.doubled > 3)
        }
    }

    /// The proof can fail: a line without faults shows none, and a store that held an entry less would be seen.
    @Test func `a good line has no faults`() async throws {
        try await GatewayRig.run { rig in
            let run = BadLineRun(
                devices: 2, entries: 200, batchEntries: 50, seed: 7,
                trustPEM: try rig.folder.text(rig.folder.rootCertificate, secret: false), enrolPort: rig.ports.enrol,
                devicePort: rig.ports.device, line: .init())
            let result = try await run.go(fleet: rig.fleet)
            #expect(result.headsEqual && result.cut == 0 && result.refused == 0)
            #expect(try await rig.fleet.entriesHeld() == 200)
        }
    }
}
