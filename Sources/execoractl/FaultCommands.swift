import Glibc
import JSONText
import LedgerFaults

/// `execoractl faults PART ...`: the fault programme on a book of its own, in memory. Never touches the shop's book.
var faultCommands: CommandGroup {
    CommandGroup(
        word: "faults", summary: "cuts | kills | errors | files | rot | clock ..., against a book of its own",
        run: { FaultCall.run($0) })
}

struct FaultCall {
    var part = ""
    var seed: UInt64 = 1
    var count: Int?
    var every = 1
    var json = false
    var keep: String?
    var book = ""

    static let usage = """
        usage: execoractl faults PART [--seed N] [--count N] [--every N] [--json]
          cuts     the plug pulled at any call, [--count 1000] times; --keep FILE leaves the last book there
          control  the same at synchronous=NORMAL: must lose entries
          kills    a scripted day ended before and after every call; --every N tries one call in N
          cutsat   the same with the plug pulled
          errors   EIO, ENOSPC, short write, failed sync at every call
          files    keys, spool, backups, restore: ended, cut, refused at every call
          full     no space for a while, [--count 50] times
          rot      one bit of every byte of a small book; --every N changes one byte in N
          migrate  the change of version of --book FILE ended before and after every call
          disk     the disk itself: what it may and may not lose, over [--count 200] cuts
          clock    1970, 2038, backwards, 31 March, no RTC, over [--count 1000] steps
        exit 1 when an invariant was violated, or the control lost nothing
        """

    static func run(_ arguments: [String]) -> Int32 {
        var call = FaultCall()
        var rest = arguments[...]
        call.part = rest.popFirst() ?? ""
        while let flag = rest.popFirst() {
            switch flag {
            case "--json": call.json = true
            case "--keep", "--book":
                guard let value = rest.popFirst() else { return badCall() }
                if flag == "--keep" { call.keep = value } else { call.book = value }
            case "--seed", "--count", "--every":
                guard let value = rest.popFirst().flatMap({ Int($0) }), value > 0 else { return badCall() }
                if flag == "--seed" {
                    call.seed = UInt64(value)
                } else if flag == "--count" {
                    call.count = value
                } else {
                    call.every = value
                }
            default: return badCall()
            }
        }
        return call.perform()
    }

    private static func badCall() -> Int32 {
        LedgerCall.standardError(usage)
        return 2
    }

    private func perform() -> Int32 {
        let disk = FaultDisk(seed: seed)
        let begin = FaultCommandClock.cpuMilliseconds
        let outcome: FaultOutcome
        switch part {
        case "cuts": outcome = PowerCuts(disk: disk, seed: seed).run(cuts: count ?? 1000, keep: keep, progress: tell)
        case "control": outcome = PowerCuts(disk: disk, seed: seed).run(cuts: count ?? 200, weak: true)
        case "kills": outcome = KillPoints(disk: disk, seed: seed).run(every: every, progress: tell)
        case "cutsat": outcome = KillPoints(disk: disk, seed: seed).run(every: every, cutsPower: true, progress: tell)
        case "errors": outcome = DiskErrors(disk: disk, seed: seed).run(every: every, progress: tell)
        case "files": outcome = BesideTheBook(disk: disk, seed: seed).run(every: every, progress: tell)
        case "full": outcome = DiskErrors(disk: disk, seed: seed).full(times: count ?? 50)
        case "rot": outcome = BitRot(seed: seed).run(every: every, progress: tell)
        case "migrate": outcome = MigrationKills(disk: disk, seed: seed, book: book).run(every: every)
        case "disk": outcome = DiskCheck(disk: disk).run(times: count ?? 200)
        case "clock": outcome = Clocks(seed: seed).run(steps: count ?? 1000)
        default: return Self.badCall()
        }
        say(outcome, FaultCommandClock.cpuMilliseconds - begin)
        return outcome.isGood ? 0 : 1
    }

    private func tell(_ done: Int) {
        guard !json else { return }
        let line = Array("\(part): \(done)\n".utf8)
        _ = write(2, line, line.count)
    }

    private func say(_ outcome: FaultOutcome, _ milliseconds: Int, _ more: [JSONValue.Member] = []) {
        let members: [JSONValue.Member] = [
            .init("part", .string(outcome.part)), .init("seed", .integer(Int64(seed))),
            .init("faults", .integer(Int64(outcome.faults))),
            .init("places", outcome.places.map { .integer(Int64($0)) } ?? .null),
            .init("entries", .integer(Int64(outcome.entries))),
            .init("violations", .integer(Int64(outcome.violationCount))),
            .init("must_fail", .bool(outcome.mustFail)), .init("ok", .bool(outcome.isGood)),
            .init("cpu_ms", .integer(Int64(milliseconds))), .init("note", .string(outcome.note)),
            .init("first", .array(outcome.violations.prefix(5).map { .string($0) })),
        ]
        if json {
            print(JSONValue.object(members).text)
        } else {
            for member in members where member.value != .null { print("\(member.name): \(member.value.text)") }
        }
    }
}

enum FaultCommandClock {
    /// Processor time of this process.
    static var cpuMilliseconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
