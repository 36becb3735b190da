import Glibc
import Ledger
import Testing

@testable import execorad

@Suite struct ClockTrustTests {
    /// 2026-03-31 12:00 UTC, and a boot an hour before.
    static let wall: Int64 = 1_774_958_400_000
    static let boot: Int64 = 3_600_000

    private func trust(_ folder: String, wall: Int64 = wall, boot: Int64 = boot) -> ClockTrust {
        ClockTrust(
            paths: .init(synchronized: folder + "/synchronized", batteryClock: folder + "/hctosys"), wall: { wall },
            boot: { boot })
    }

    private func withFolder(_ body: (String) throws -> Void) rethrows {
        var template = Array("/tmp/execora-clock-XXXXXX".utf8CString)
        let folder = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
        defer {
            for name in ["synchronized", "hctosys"] { unlink(folder + "/" + name) }
            rmdir(folder)
        }
        try body(folder)
    }

    private func touch(_ path: String, _ text: String, at seconds: Int64) {
        guard let file = fopen(path, "w") else { return }
        fputs(text, file)
        fclose(file)
        var times = [timespec(tv_sec: Int(seconds), tv_nsec: 0), timespec(tv_sec: Int(seconds), tv_nsec: 0)]
        utimensat(AT_FDCWD, path, &times, 0)
    }

    @Test func `a clock nobody vouches for is 1, one before the product was made is 0`() {
        withFolder { folder in
            #expect(trust(folder).quality == 1)
            #expect(trust(folder, wall: 0).quality == 0)
            #expect(trust(folder, wall: LedgerStore.clockFloor.rawValue - 1).quality == 0)
        }
    }

    @Test func `a battery-backed clock is 2, the time service 3 for two days`() {
        withFolder { folder in
            touch(folder + "/hctosys", "0\n", at: 0)
            #expect(trust(folder).quality == 1)
            touch(folder + "/hctosys", "1\n", at: 0)
            #expect(trust(folder).quality == 2)
            touch(folder + "/synchronized", "", at: Self.wall / 1000 - 48 * 3600)
            #expect(trust(folder).quality == 3)
            touch(folder + "/synchronized", "", at: Self.wall / 1000 - 48 * 3600 - 1)
            #expect(trust(folder).quality == 2)
            // Set long after: the clock has jumped back since.
            touch(folder + "/synchronized", "", at: Self.wall / 1000 + 3600)
            #expect(trust(folder).quality == 2)
        }
    }

    @Test func `the gateway's time vouches for two days, and contradicts`() {
        withFolder { folder in
            touch(folder + "/synchronized", "", at: Self.wall / 1000)
            let trust = trust(folder)
            trust.attest(server: WallTime(milliseconds: Self.wall - 60_000), boot: Self.boot - 60_000)
            #expect(trust.quality == 4)
            trust.attest(server: WallTime(milliseconds: Self.wall - 200_000), boot: Self.boot)
            #expect(trust.quality == 0)
            let old = Self.boot - ClockTrust.attestedMilliseconds - 1
            trust.attest(server: WallTime(milliseconds: 0), boot: old)
            #expect(trust.quality == 3)
        }
    }
}
