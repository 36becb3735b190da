import Conversation
import Glibc
import Ledger
import Seals
import Synchronization

/// Turns that wait for the line: one sealed file each, in a folder of its own.
///
/// A stored turn survives a power cut the moment `store` returns. Files are named by turn id, so they sort by time;
/// everything else about them is sealed with AES-256-GCM, bound to the id. Any thread; file work blocks the caller
/// and is done one piece at a time, the figures never wait for it. Full at `bytesMax`: the oldest give way.
public final class AudioSpool: Sendable {
    public struct Configuration: Hashable, Sendable {
        /// 64 MB are about 3500 turns of 6 s.
        public var bytesMax: Int
        /// An older turn is no use to anybody: three days.
        public var ageMax: Duration
        /// Turns stamped before this moment were spoken while the clock was not set: their age is unknown, so
        /// only `bytesMax` ends them. Default: 2025-01-01.
        public var clockBelievedSince: WallTime

        public init(
            bytesMax: Int = 64 << 20, ageMax: Duration = .seconds(72 * 3600),
            clockBelievedSince: WallTime = WallTime(milliseconds: 1_735_689_600_000)
        ) {
            self.bytesMax = bytesMax
            self.ageMax = ageMax
            self.clockBelievedSince = clockBelievedSince
        }
    }

    public struct Figures: Hashable, Sendable {
        public var count = 0
        public var bytes = 0
        /// Damaged files set aside since the spool was opened.
        public var damaged = 0
        public var oldest: ULID?
    }

    /// Damaged files kept for the technician; older ones go.
    static let badFilesMax = 8
    static let magic = Array("EXS1".utf8)

    private struct Entry: Hashable {
        var turn: ULID
        var bytes: Int
    }

    let folder: SpoolFolder
    private let key: [UInt8]
    private let configuration: Configuration
    /// Held while files are touched; what is in it are the entries, oldest first.
    private let entries: Mutex<[Entry]>
    private let figuresNow: Mutex<Figures>

    /// Opens or makes the folder (0700), clears what a power cut left half-written.
    ///
    /// - Parameter key: 32 bytes, `spool.key` of the identity folder.
    public static func open(
        path: String, key: [UInt8], configuration: Configuration = .init()
    ) throws(SpoolError) -> AudioSpool {
        try open(SpoolFolder(path: path), key: key, configuration: configuration)
    }

    static func open(
        _ folder: SpoolFolder, key: [UInt8], configuration: Configuration = .init()
    ) throws(SpoolError) -> AudioSpool {
        precondition(key.count == SealedBox.keyBytes, "key of another size")
        try folder.make()
        var entries: [Entry] = []
        for file in try folder.files() {
            if file.name.hasSuffix(SpoolFolder.halfSuffix) {
                try folder.remove(file.name)
            } else if let turn = Self.turn(of: file.name) {
                entries.append(Entry(turn: turn, bytes: file.bytes))
            }
        }
        entries.sort { $0.turn < $1.turn }
        let spool = AudioSpool(folder, key, configuration, entries)
        spool.dropOldBad()
        return spool
    }

    private init(_ folder: SpoolFolder, _ key: [UInt8], _ configuration: Configuration, _ entries: [Entry]) {
        self.folder = folder
        self.key = key
        self.configuration = configuration
        self.entries = Mutex(entries)
        figuresNow = Mutex(Self.figures(of: entries, damaged: 0))
    }

    public var figures: Figures { figuresNow.withLock { $0 } }

    /// How long the oldest turn has waited, nil when none does. Never negative.
    public func oldestAge(at now: WallTime) -> Duration? {
        figures.oldest.map { .milliseconds(max(0, now.rawValue - Self.spokenAt($0).rawValue)) }
    }

    /// Keeps a turn; it is on flash when this returns.
    ///
    /// - Returns: how many older turns gave way, for the ledger to note.
    @discardableResult
    public func store(_ turn: SpooledTurn, at now: WallTime) throws(SpoolError) -> Int {
        let id = turn.hello.turn
        let sealed: [UInt8]
        do { sealed = try SealedBox.seal(turn.plain(), key: key, binding: Self.binding(id)) } catch let error
            as SealError
        {
            throw .seal(error)
        } catch { throw error as? SpoolError ?? .damaged }
        let file = Self.magic + sealed
        guard file.count <= configuration.bytesMax else { throw .tooLarge }
        return try withEntries { entries throws(SpoolError) in
            let dropped = try makeRoom(for: file.count, except: id, at: now, &entries)
            try folder.write(file, name: Self.name(of: id))
            entries.removeAll { $0.turn == id }
            entries.insert(
                Entry(turn: id, bytes: file.count), at: entries.firstIndex { $0.turn > id } ?? entries.endIndex)
            return dropped
        }
    }

    /// The turn that has waited longest; nil when none waits.
    public func oldest() -> ULID? { figures.oldest }

    /// A turn's content. It stays until `remove`.
    ///
    /// - Throws: `damaged` when it is not what was stored; it was set aside and is no longer counted.
    public func load(_ turn: ULID) throws(SpoolError) -> SpooledTurn {
        try withEntries { entries throws(SpoolError) in
            guard entries.contains(where: { $0.turn == turn }) else { throw .missing }
            let name = Self.name(of: turn)
            let file: [UInt8]
            do throws(SpoolError) { file = try folder.read(name, bytesMax: configuration.bytesMax) } catch {
                if error == .missing { entries.removeAll { $0.turn == turn } }
                throw error
            }
            do {
                guard file.starts(with: Self.magic) else { throw SpoolError.damaged }
                let plain = try SealedBox.open(
                    Array(file[Self.magic.count...]), key: key, binding: Self.binding(turn))
                return try SpooledTurn(plain: plain, turn: turn)
            } catch {
                try folder.rename(name, to: "\(turn)\(SpoolFolder.badSuffix)")
                entries.removeAll { $0.turn == turn }
                figuresNow.withLock { $0.damaged += 1 }
                dropOldBad()
                throw .damaged
            }
        }
    }

    /// Drops the oldest turns until at most so many bytes are left: the disk is needed for the book.
    /// - Returns: how many.
    @discardableResult
    public func shrink(toBytes most: Int) throws(SpoolError) -> Int {
        try withEntries { entries throws(SpoolError) in
            var total = entries.reduce(0) { $0 + $1.bytes }
            var dropped = 0
            while total > most, let gone = entries.first {
                try folder.remove(Self.name(of: gone.turn))
                entries.removeFirst()
                total -= gone.bytes
                dropped += 1
            }
            return dropped
        }
    }

    /// The turn was delivered, or is not wanted.
    public func remove(_ turn: ULID) throws(SpoolError) {
        try withEntries { entries throws(SpoolError) in
            try folder.remove(Self.name(of: turn), isLasting: true)
            entries.removeAll { $0.turn == turn }
        }
    }

    /// Drops what is older than the maximum age.
    /// - Returns: how many, for the ledger to note.
    @discardableResult
    public func dropAged(at now: WallTime) throws(SpoolError) -> Int {
        try withEntries { entries throws(SpoolError) in try makeRoom(for: 0, except: nil, at: now, &entries) }
    }
}

/// Inside.
extension AudioSpool {
    /// Every change of the entries: one at a time, the figures follow, also when it throws half-way.
    private func withEntries<Answer: Sendable>(
        _ body: (inout [Entry]) throws(SpoolError) -> Answer
    ) throws(SpoolError) -> Answer {
        let result: Result<Answer, SpoolError> = entries.withLock { entries in
            defer { figuresNow.withLock { $0 = Self.figures(of: entries, damaged: $0.damaged) } }
            do throws(SpoolError) { return .success(try body(&entries)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private func makeRoom(
        for bytes: Int, except kept: ULID?, at now: WallTime, _ entries: inout [Entry]
    ) throws(SpoolError) -> Int {
        var total = entries.reduce(0) { $0 + ($1.turn == kept ? 0 : $1.bytes) }
        var dropped = 0
        while let gone = entries.first(where: { $0.turn != kept && isAged($0, at: now) })
            ?? (total + bytes > configuration.bytesMax ? entries.first(where: { $0.turn != kept }) : nil)
        {
            try folder.remove(Self.name(of: gone.turn))
            entries.removeAll { $0 == gone }
            total -= gone.bytes
            dropped += 1
        }
        return dropped
    }

    private func isAged(_ entry: Entry, at now: WallTime) -> Bool {
        let spokenAt = Self.spokenAt(entry.turn)
        return spokenAt >= configuration.clockBelievedSince
            && now.rawValue - spokenAt.rawValue > configuration.ageMax.milliseconds
    }

    /// A file that cannot be removed here is met again at the next opening.
    private func dropOldBad() {
        let bad = ((try? folder.files()) ?? []).map(\.name).filter { $0.hasSuffix(SpoolFolder.badSuffix) }.sorted()
        for name in bad.dropLast(Self.badFilesMax) { try? folder.remove(name) }
    }

    private static func figures(of entries: [Entry], damaged: Int) -> Figures {
        Figures(
            count: entries.count, bytes: entries.reduce(0) { $0 + $1.bytes }, damaged: damaged,
            oldest: entries.first?.turn)
    }

    private static func name(of turn: ULID) -> String { "\(turn)\(SpoolFolder.turnSuffix)" }

    private static func turn(of name: String) -> ULID? {
        guard name.hasSuffix(SpoolFolder.turnSuffix) else { return nil }
        return ULID(String(name.dropLast(SpoolFolder.turnSuffix.count)))
    }

    private static func binding(_ turn: ULID) -> [UInt8] { magic + turn.bytes }

    /// The time in a turn's id, see `ULID.init(at:using:)`.
    private static func spokenAt(_ turn: ULID) -> WallTime { WallTime(milliseconds: Int64(turn.high >> 16)) }
}
