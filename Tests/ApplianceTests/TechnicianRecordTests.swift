import Glibc
import Ledger
import Synchronization
import Testing

@testable import execorad

/// A clock that a test moves.
private final class Hands: Sendable {
    let now = Atomic<Int64>(1_000)
    var clock: @Sendable () -> Int64 { { [self] in now.load(ordering: .relaxed) } }
    func pass(_ milliseconds: Int64) { now.wrappingAdd(milliseconds, ordering: .relaxed) }
}

/// What is kept of technicians' calls, how long service stays open, and settings that go back by themselves.
@Suite struct TechnicianRecordTests {
    private func call(_ method: String, result: String = "ok", uid: Int64 = 7) -> TechnicianCall {
        TechnicianCall(method: method, level: "tech", uid: uid, token: nil, result: result, times: 1)
    }

    @Test func `the first call is written at once, equal ones of the minute as one`() {
        var tally = CallTally()
        #expect(tally.note(call("say"), at: 0).map(\.times) == [1])
        for at in 1...500 { #expect(tally.note(call("say"), at: Int64(at)).isEmpty) }
        // Another result is another fact.
        #expect(tally.note(call("say", result: "failed"), at: 600).map(\.result) == ["failed"])
        #expect(tally.note(call("say", uid: 8), at: 601).map(\.uid) == [8])
        #expect(tally.due(at: 59_999).isEmpty)
        #expect(tally.due(at: 60_000).map(\.times) == [500])
        #expect(tally.due(at: 200_000).isEmpty, "what happened once is not written twice")
        #expect(tally.note(call("say"), at: 200_001).map(\.times) == [1])
    }

    @Test func `more kinds than it counts are written early, and none is lost`() {
        var tally = CallTally()
        var written: Int64 = 0
        var made: Int64 = 0
        for round in 0..<3 {
            for uid in 0..<Int64(2 * CallTally.kindsMax) {
                made += 1
                written += tally.note(call("mute.set", uid: uid), at: Int64(round)).reduce(0) { $0 + $1.times }
            }
        }
        written += tally.all().reduce(0) { $0 + $1.times }
        #expect(written == made)
        #expect(tally.all().isEmpty)
    }

    @Test func `service by presence ends after fifteen minutes, by token when its holder goes`() {
        let hands = Hands()
        let presence = Presence(clock: hands.clock)
        #expect(!presence.isPresent && !presence.isServiceOpen)
        presence.shown()
        hands.pass(Presence.milliseconds - 1)
        #expect(presence.isPresent && presence.isServiceOpen)
        hands.pass(1)
        #expect(!presence.isPresent && !presence.isServiceOpen)
        presence.tokenShown(milliseconds: 60_000)
        #expect(!presence.isPresent && presence.isServiceOpen)
        presence.tokenGone()
        #expect(!presence.isServiceOpen)
    }

    @Test func `a setting on trial goes back by itself, a confirmed one stays`() throws {
        let hands = Hands()
        var standing = ApplianceConfiguration()
        standing.wakeCutoffMilli = 970
        let applied = Mutex<[Int]>([])
        let settings = LiveSettings(standing, clock: hands.clock) { changed in
            applied.withLock { $0.append(changed.wakeCutoffMilli) }
        }
        try settings.set("wake.cutoff_milli", to: .integer(500), milliseconds: 60_000)
        hands.pass(30_000)
        // Changed again before it went back: it goes back to where it stood at first.
        try settings.set("wake.cutoff_milli", to: .integer(400), milliseconds: 60_000)
        hands.pass(59_999)
        #expect(settings.tick().isEmpty && settings.configuration.wakeCutoffMilli == 400)
        hands.pass(1)
        #expect(settings.tick() == ["wake.cutoff_milli"])
        #expect(settings.configuration.wakeCutoffMilli == 970 && applied.withLock { $0 } == [500, 400, 970])
        try settings.set("wake.cutoff_milli", to: .integer(950), milliseconds: 60_000)
        try settings.set("diagnostics.log_level", to: .text("debug"), milliseconds: 1_800_000)
        #expect(settings.confirm("wake.cutoff_milli"))
        #expect(!settings.confirm("wake.cutoff_milli"))
        hands.pass(2_000_000)
        #expect(settings.tick() == ["diagnostics.log_level"])
        #expect(settings.configuration.wakeCutoffMilli == 950 && settings.configuration.logLevel == standing.logLevel)
    }

    @Test(arguments: [
        ("wake.cutoff_milli", ConfigurationEntry.Value.integer(1_000), "0 to 999"),
        ("wake.cutoff_milli", .text("low"), "whole number"), ("diagnostics.log_level", .text("loud"), "one of"),
        ("device.state_dir", .text("/tmp"), "changed in the file"), ("no.such", .flag(true), "changed in the file"),
    ]) func `a wrong setting is refused in words and changes nothing`(
        key: String, value: ConfigurationEntry.Value, part: String
    ) {
        let settings = LiveSettings(
            ApplianceConfiguration(), clock: { 0 }, apply: { _ in Issue.record("something was changed") })
        do throws(LiveSettings.Mistake) {
            try settings.set(key, to: value, milliseconds: 60_000)
            Issue.record("accepted")
        } catch { #expect(error.words.contains(part), "\(error.words)") }
    }

    /// A folder stands for the kernel's LED.
    @Test func `the lamp blinks while service is open, whatever the ear does, and is as it was afterwards`() throws {
        let folder = "/tmp/execora-lamp-\(getpid())"
        defer { _ = system("rm -rf \(folder)") }
        try #require(FileBytes.makeFolder(folder))
        for name in ["brightness", "trigger"] { try #require(FileBytes.keep([0x30], at: "\(folder)/\(name)")) }
        // The kernel's files take whole writes at their beginning.
        func read(_ name: String) -> String {
            String(decoding: FileBytes.read("\(folder)/\(name)", bytesMax: 64) ?? [], as: UTF8.self)
        }
        let lamp = Lamp(path: folder, log: EventLog(level: .error, format: .text))
        lamp.show(.listening)
        #expect(read("brightness") == "1")
        lamp.serve(true)
        #expect(read("trigger") == "timer")
        lamp.show(.dark)
        #expect(read("brightness") == "1", "the ear does not touch a blinking lamp")
        lamp.serve(false)
        #expect(read("trigger").hasPrefix("none") && read("brightness") == "0")
        // A lamp without the trigger is lit.
        unlink("\(folder)/trigger")
        lamp.serve(true)
        #expect(read("brightness") == "1")
    }

    /// Steps below TLS, each against a machine made of folders.
    @Test func `a cable that is out and a router that gave nothing are each named`() throws {
        let root = "/tmp/execora-net-\(getpid())"
        defer { _ = system("rm -rf \(root)") }
        var configuration = ApplianceConfiguration()
        configuration.gatewayURL = "https://gateway.example:8443"
        let look = Examination(configuration: configuration)
        func put(_ path: String, _ text: String) throws {
            let folder = path.split(separator: "/").dropLast().joined(separator: "/")
            try #require(FileBytes.makeFolder("\(root)/\(folder)"))
            try #require(FileBytes.keep(Array(text.utf8), at: "\(root)/\(path)"))
        }
        try put("sys/class/net/lo/carrier", "1\n")
        #expect(look.link(root: root).words.contains("no network card"))
        try put("sys/class/net/eth0/carrier", "0\n")
        #expect(look.link(root: root).verdict == .failed && look.link(root: root).words.contains("no cable"))
        try put("sys/class/net/wlan0/carrier", "1\n")
        #expect(look.link(root: root).words == "wlan0 carries")
        let head = "Iface\tDestination\tGateway \tFlags\n"
        try put("proc/self/net/route", head + "wlan0\t0000FEA9\t00000000\t0001\n")
        try put("proc/self/net/ipv6_route", "\(String(repeating: "0", count: 32)) 00 0 00 0 ffffffff 1 0 200200 lo\n")
        #expect(look.route(root: root).verdict == .failed && look.route(root: root).words.contains("router"))
        try put("proc/self/net/route", head + "wlan0\t00000000\t0101A8C0\t0003\n")
        #expect(look.route(root: root).verdict == .passed)
        configuration.gatewayURL = "https://127.0.0.1:8443"
        #expect(Examination(configuration: configuration).link(root: root).verdict == .skipped)
    }

    @Test func `lost connections are counted, and a few are a finding`() {
        #expect(Examination.roundTrip(times: [3, 5, 4], tried: 3).words == "4 ms, at most 5 ms, 0 of 3 lost")
        #expect(Examination.roundTrip(times: Array(repeating: 9, count: 18), tried: 20).verdict == .passed)
        #expect(Examination.roundTrip(times: Array(repeating: 9, count: 17), tried: 20).verdict == .failed)
        #expect(Examination.roundTrip(times: [], tried: 3).words.contains("no connection"))
    }
}
