import Glibc
import JSONText
import Testing

/// The daemon's own turn, from the words to the answer, on a disk that refuses: what was said to be written is there, what
/// was refused is not, and it sells again by itself.
@Suite(.serialized)
struct FailingDiskTests {
    enum Fault: String, CaseIterable {
        case sync, write, full
    }

    @Test(arguments: Fault.allCases)
    func `a disk that fails under a sale is refused aloud, and sells again by itself`(fault: Fault) throws {
        let rig = try BareCounter()
        defer { rig.close() }
        try rig.configure("[audio]\nbackend = \"null\"\n")
        try rig.seed()
        let shim = rig.folder + "/failing_disk.so"
        let built = try Programs.shell(
            "cc -shared -fPIC -O1 -o '\(shim)' '\(Programs.root)/Tests/HouseTests/failing_disk.c' -ldl")
        try #require(built.status == 0, "\(built.output)")
        rig.wrapper = "LD_PRELOAD='\(shim)' EXECORA_FAULT='\(rig.folder)/fault'"
        try rig.start()
        func sell() throws -> JSONValue { try rig.ask("say 'Rahul ne 100 diye'") }
        var sold: Int64 = 0
        for _ in 0..<2 where try sell()["code"]?.string == "OK" { sold += 1 }
        #expect(sold == 2)

        _ = try Programs.shell("printf \(fault.rawValue) > '\(rig.folder)/fault'")
        for attempt in 1...3 {
            let refused = try sell()
            #expect(refused["code"]?.string == "UPDATE_FAILED", "\(attempt): \(refused.text)")
            #expect(refused["journal"]?.array?.isEmpty == true && refused["speech"]?.string?.isEmpty == false)
        }
        // On a full disk it still answers; a book whose write failed is not read from either before it was opened anew.
        let balance = try rig.ask("say 'Rahul ka balance batao'")
        #expect((balance["code"]?.string == "OK") == (fault == .full), "\(balance.text)")

        _ = try Programs.shell("rm '\(rig.folder)/fault'")
        let freed = Self.milliseconds()
        var again = try sell()
        while again["code"]?.string != "OK", Self.milliseconds() - freed < 20_000 { again = try sell() }
        let took = Self.milliseconds() - freed
        #expect(again["code"]?.string == "OK" && took < 2000, "\(took) ms: \(again.text)")
        sold += 1
        func holds() throws {
            let rahul = try rig.ask("ledger balances")["customers"]?.array?.first {
                $0["name"]?.string == "Rahul Sharma"
            }
            #expect(
                rahul?["balance_paise"]?.integer == 50_000 - sold * 10_000,
                "what was refused is there, or what was sold is not")
            #expect(try rig.ask("ledger verify")["valid"]?.bool == true)
        }
        try holds()

        // The same with the process ended while the disk refuses.
        _ = try Programs.shell("printf \(fault.rawValue) > '\(rig.folder)/fault'")
        #expect(try sell()["code"]?.string == "UPDATE_FAILED")
        rig.kill()
        _ = try Programs.shell("rm '\(rig.folder)/fault'")
        try rig.start()
        try holds()
        #expect(rig.stop() == 0)
    }

    private static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
