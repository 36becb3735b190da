import CloudLink
import Conversation
import Glibc
import Ledger
import Seals

/// Work on files that are not the book's own: in steps, each acknowledged when it returns.
protocol SideWork: AnyObject {
    /// What the shop has before the faults begin.
    func prepare() throws
    var steps: Int { get }
    /// Throws what the rooms throw. After a fault it is asked again, and must succeed.
    func step(_ number: Int) throws
    /// The process is gone, and what it had in memory.
    func forget()
    /// Opens everything anew and holds it to what was acknowledged.
    /// - Parameters:
    ///   - done: steps that returned.
    ///   - isCut: a further step may have happened, or half of it.
    func check(done: Int, isCut: Bool) throws
}

/// The device's keys, made once and for ever, and a small file that is replaced.
final class KeysWork: SideWork {
    private let folder: String
    private var identity: IdentityFolder { IdentityFolder(path: folder + "/identity") }
    private var known: [[UInt8]]?
    private var file: String { folder + "/identity/replaced" }

    init(folder: String) { self.folder = folder }

    func prepare() {}
    let steps = 4

    func step(_ number: Int) throws {
        if number == 0 { known = try keys() } else { try PrivateFile.write(text(number), to: file) }
    }

    func forget() {}

    func check(done: Int, isCut: Bool) throws {
        let keys = try keys()
        if done > 0, keys != known { throw Violation("I1", "the device has other keys than it was enrolled with") }
        var allowed = [done > 1 ? text(done - 1) : nil]
        if isCut, done > 0 { allowed.append(text(done)) }
        let held: [UInt8]?
        do { held = try PrivateFile.read(file, secret: true) } catch SealError.missing { held = nil }
        guard allowed.contains(held) else {
            throw Violation("I1", "a replaced file is neither the old nor the new one")
        }
    }

    /// Made where they are missing; fails where one is there and is no key.
    private func keys() throws -> [[UInt8]] {
        let made = try identity.keysMadeIfMissing()
        return [
            made.ledger.verifyingKey.bytes, try made.tls.pem(), try identity.spoolKey(),
        ] + (try identity.bookKeys(credentials: nil))
    }

    private func text(_ number: Int) -> [UInt8] { [UInt8](repeating: UInt8(number), count: 700) }
}

/// Turns that wait for the line.
final class SpoolWork: SideWork {
    private enum Step {
        case store(UInt64)
        case remove(UInt64)
        case shrink
    }

    private let folder: String
    private var spool: AudioSpool?
    private static let day: [Step] = [
        .store(1), .store(2), .remove(1), .store(3), .store(2), .shrink, .store(4), .remove(3), .remove(4),
    ]
    private static let key = [UInt8](repeating: 7, count: 32)

    init(folder: String) { self.folder = folder }

    func prepare() {}
    let steps = day.count
    func forget() { spool = nil }

    func step(_ number: Int) throws {
        let spool = try open()
        switch Self.day[number] {
        case .store(let turn): try spool.store(Self.turn(turn), at: Self.now)
        case .remove(let turn): try spool.remove(Self.id(turn))
        case .shrink: try spool.shrink(toBytes: spool.figures.bytes / 2)
        }
    }

    private func open() throws(SpoolError) -> AudioSpool {
        if let spool { return spool }
        let opened = try AudioSpool.open(path: folder + "/spool", key: Self.key)
        spool = opened
        return opened
    }

    func check(done: Int, isCut: Bool) throws {
        spool = nil
        let spool = try open()
        for turn in 1...4 as ClosedRange<UInt64> {
            var must: Bool? = false
            for (index, step) in Self.day.enumerated() where index < done || index == done && isCut {
                switch step {
                case .store(turn): must = index < done || must == true ? true : nil
                case .remove(turn): must = index < done || must == false ? false : nil
                // What gives way to the book may come back after a cut.
                case .shrink: if must == true { must = nil }
                default: break
                }
            }
            var held: SpooledTurn?
            do throws(SpoolError) { held = try spool.load(Self.id(turn)) } catch {
                guard error == .missing else { throw Violation("I1", "turn \(turn) cannot be read: \(error)") }
            }
            if let held, held != Self.turn(turn) { throw Violation("I1", "turn \(turn) is another one") }
            if held != nil, must == false { throw Violation("I7", "turn \(turn) was delivered and is back") }
            if held == nil, must == true { throw Violation("I1", "turn \(turn) was kept and is gone") }
        }
        for name in FaultFolder.names(of: folder + "/spool") where !name.hasSuffix(".turn") {
            throw Violation("I1", "something half-made stays in the spool: \(name.suffix(5))")
        }
    }

    private static let now = WallTime(milliseconds: 1_768_444_200_000)

    private static func id(_ number: UInt64) -> ULID { ULID(high: UInt64(now.rawValue) << 16, low: number) }

    private static func turn(_ number: UInt64) -> SpooledTurn {
        SpooledTurn(
            hello: TurnHello(
                turn: id(number), wake: nil, firstSampleIndex: 0, isLate: false, spokenAt: now, vocabulary: ["doodh"],
                language: "hi-en"),
            packets: (0..<40).map { index in
                // 20 ms of wideband SILK, as its first byte says.
                [0x48] + [UInt8](repeating: UInt8(index) ^ UInt8(number), count: 40 + Int(number))
            })
    }
}
