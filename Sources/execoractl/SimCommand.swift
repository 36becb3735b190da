import Glibc
import JSONText
import LedgerFaults

/// `execoractl sim`: shops for days, from one seed.
var simCommand: CommandGroup {
    CommandGroup(
        word: "sim", summary: "--shops N --days D --seed S: book, sync, disk and line simulated; same seed, same bytes",
        run: { simulate($0) })
}

private func simulate(_ arguments: [String]) -> Int32 {
    var (shops, days, entries, seed, json) = (3, 2, 500, 1, false)
    var rest = arguments[...]
    while let flag = rest.popFirst() {
        if flag == "--json" {
            json = true
            continue
        }
        guard let value = rest.popFirst().flatMap({ Int($0) }), value > 0 else { return badCall() }
        switch flag {
        case "--shops": shops = value
        case "--days": days = value
        case "--entries": entries = value
        case "--seed": seed = value
        default: return badCall()
        }
    }
    let begin = FaultCommandClock.cpuMilliseconds
    let (outcome, digest) = Simulation(disk: FaultDisk(seed: UInt64(seed)), seed: UInt64(seed)).run(
        shops: shops, days: days, entriesADay: entries)
    let milliseconds = max(1, FaultCommandClock.cpuMilliseconds - begin)
    let head = digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    let members: [JSONValue.Member] = [
        .init("part", .string(outcome.part)), .init("seed", .integer(Int64(seed))),
        .init("faults", .integer(Int64(outcome.faults))), .init("entries", .integer(Int64(outcome.entries))),
        .init("violations", .integer(Int64(outcome.violationCount))), .init("ok", .bool(outcome.isGood)),
        .init("cpu_ms", .integer(Int64(milliseconds))),
        .init("days_per_cpu_minute", .integer(Int64(outcome.faults * 60_000 / milliseconds))),
        .init("digest", .string(head)), .init("note", .string(outcome.note)),
        .init("first", .array(outcome.violations.prefix(5).map { .string($0) })),
    ]
    if json {
        print(JSONValue.object(members).text)
    } else {
        for member in members { print("\(member.name): \(member.value.text)") }
        if !outcome.isGood {
            print("again: execoractl sim --shops \(shops) --days \(days) --entries \(entries) --seed \(seed)")
        }
    }
    return outcome.isGood ? 0 : 1
}

private func badCall() -> Int32 {
    LedgerCall.standardError("usage: execoractl sim [--shops N] [--days D] [--entries N] [--seed S] [--json]")
    return 2
}
