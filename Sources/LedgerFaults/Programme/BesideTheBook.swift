import Glibc
import Ledger

/// What lies beside the book and not in it: keys, kept turns, backups, the swap of a restore. Each call that changes a
/// file, SQLite's or not, is the place of every fault there is: the process ends before and after it, the plug is
/// pulled before and after it, it is refused, or half done.
public struct BesideTheBook {
    private enum Fall: CustomStringConvertible {
        case end(FaultDisk.Fault, cutsPower: Bool)
        case refusal(FaultDisk.Fault)

        var description: String {
            switch self {
            case .end(let fault, let cutsPower): "\(fault), \(cutsPower ? "power" : "kill")"
            case .refusal(let fault): "\(fault)"
            }
        }
    }

    let disk: FaultDisk
    let seed: UInt64
    private let folder = FaultFolder()

    public init(disk: FaultDisk, seed: UInt64) {
        self.disk = disk
        self.seed = seed
    }

    /// - Parameter every: tries each call (1), or one in so many.
    public func run(every: Int = 1, progress: (Int) -> Void = { _ in }) -> FaultOutcome {
        var outcome = FaultOutcome(part: "keys, spool, backups, restore: each fault at every call")
        var notes: [String] = []
        for (name, make) in works {
            let calls: [FaultDisk.Operation]
            do { calls = try log(make) } catch {
                outcome.note(Violation("I1", "\(error)"), "\(name), without a fault")
                continue
            }
            var fallen = 0
            for (index, operation) in calls.enumerated() {
                let falls = Self.falls(at: operation)
                outcome.places = (outcome.places ?? 0) + falls.count
                guard index % every == Int(seed) % every else { continue }
                for fall in falls {
                    do {
                        try attempt(fall, at: index + 1, make)
                        fallen += 1
                    } catch {
                        let violation = error as? Violation ?? Violation("I1", "\(error)")
                        outcome.note(violation, "seed \(seed), \(name), call \(index + 1) (\(operation)), \(fall)")
                    }
                    outcome.faults += 1
                }
                if index % 50 < every { progress(index) }
            }
            notes.append("\(name) \(calls.count) calls")
        }
        outcome.note = notes.joined(separator: ", ")
        return outcome
    }

    private var works: [(String, () -> any SideWork)] {
        [
            ("keys", { KeysWork(folder: folder.path) }), ("spool", { SpoolWork(folder: folder.path) }),
            ("backups", { BackupWork(folder: folder.path, seed: seed) }),
            ("restore", { RestoreWork(disk: disk, folder: folder.path, seed: seed) }),
        ]
    }

    private static func falls(at operation: FaultDisk.Operation) -> [Fall] {
        let ends: [Fall] = [FaultDisk.Fault.endBefore, .endAfter].flatMap {
            [.end($0, cutsPower: false), .end($0, cutsPower: true)]
        }
        return ends + DiskErrors.faults(of: operation).map { .refusal($0) }
    }

    private func start(_ make: () -> any SideWork) throws -> any SideWork {
        folder.empty()
        disk.forget()
        let work = make()
        try work.prepare()
        return work
    }

    private func log(_ make: () -> any SideWork) throws -> [FaultDisk.Operation] {
        let work = try start(make)
        disk.startLog()
        defer { work.forget() }
        for step in 0..<work.steps { try work.step(step) }
        let calls = disk.endLog()
        try work.check(done: work.steps, isCut: false)
        return calls
    }

    private func attempt(_ fall: Fall, at call: Int, _ make: () -> any SideWork) throws {
        let work = try start(make)
        defer { work.forget() }
        var done = 0
        switch fall {
        case .end(let fault, let cutsPower):
            disk.arm(fault, after: call)
            do {
                while done < work.steps, !disk.isEnded {
                    try work.step(done)
                    if !disk.isEnded { done += 1 }
                }
            } catch {
                guard disk.isEnded else { throw error }
            }
            guard disk.isEnded else { throw Violation("I1", "the work is another one: call \(call) was not made") }
            work.forget()
            if cutsPower { disk.restartAfterPowerCut() } else { disk.restartAfterKill() }
            try work.check(done: done, isCut: true)
            // It goes on from there.
            for step in done..<work.steps { try work.step(step) }
        case .refusal(let fault):
            disk.arm(fault, after: call)
            while done < work.steps {
                do { try work.step(done) } catch {
                    guard disk.hasFallen else { throw error }
                    try work.step(done)
                }
                done += 1
            }
            guard disk.hasFallen else { throw Violation("I1", "the work is another one: call \(call) was not made") }
            disk.disarm()
            work.forget()
            disk.restartAfterPowerCut()
        }
        disk.disarm()
        try work.check(done: work.steps, isCut: false)
    }
}
