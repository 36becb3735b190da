import Glibc

/// How little space is left where the book lies, and what gives way to it (design C.7). The book never does: an entry is
/// only ever refused by a disk that is really full, aloud, and goes through again when there is space.
enum DiskLevel: Int, Comparable, Sendable {
    case ample
    /// Below 15 %: what is spoken while the line is down is no longer kept.
    case low
    /// Below 10 %: the oldest kept turns go.
    case tight
    /// Below 5 %: all kept turns go.
    case scarce
    /// Below 2 %: the ballast goes; what it held is the book's.
    case bare

    static func < (left: DiskLevel, right: DiskLevel) -> Bool { left.rawValue < right.rawValue }

    var word: String {
        switch self {
        case .ample: "ample"
        case .low: "low"
        case .tight: "tight"
        case .scarce: "scarce"
        case .bare: "bare"
        }
    }

    /// Shares of the file system, as meant for a small partition of its own; on a large disk the same number of bytes is
    /// enough, and a laptop at 90 % is not yet in need.
    private static let steps: [(level: DiskLevel, percent: Int64, bytesMax: Int64)] = [
        (.bare, 2, 32 << 20), (.scarce, 5, 64 << 20), (.tight, 10, 128 << 20), (.low, 15, 256 << 20),
    ]

    init(freeBytes: Int64, sizeBytes: Int64) {
        self =
            Self.steps.first { freeBytes < Self.threshold($0.percent, $0.bytesMax, of: sizeBytes) }?.level ?? .ample
    }

    /// Free bytes from which on the level is better than `tight`.
    static func tightBytes(of size: Int64) -> Int64 { threshold(10, 128 << 20, of: size) }

    private static func threshold(_ percent: Int64, _ most: Int64, of size: Int64) -> Int64 {
        min(size / 100 * percent, most)
    }
}

/// Looks at the disk and holds the ballast. One thread, the control thread's.
struct DiskWatch {
    /// A file of so much that gives the book room for some 50,000 entries when nothing else is left.
    static let ballastBytes: Int64 = 16 << 20

    private let folder: String
    private var ballastPath: String { folder + "/ballast" }
    private(set) var level = DiskLevel.ample
    private(set) var freeBytes: Int64 = 0
    private(set) var holdsBallast: Bool

    init(folder: String) {
        self.folder = folder
        var facts = stat()
        holdsBallast = stat(folder + "/ballast", &facts) == 0 && Int64(facts.st_size) == Self.ballastBytes
    }

    /// One look: releases the ballast when nothing else is left, lays it down again when there is plenty.
    ///
    /// - Returns: the level, and whether it is another than at the last look.
    mutating func look() -> (level: DiskLevel, isNew: Bool) {
        guard let (free, size) = space() else { return (level, false) }
        freeBytes = free
        let before = level
        level = DiskLevel(freeBytes: free, sizeBytes: size)
        if level == .bare, holdsBallast {
            unlink(ballastPath)
            holdsBallast = false
        } else if !holdsBallast, free - Self.ballastBytes >= DiskLevel.tightBytes(of: size) {
            holdsBallast = layBallast()
        }
        return (level, level != before)
    }

    private func space() -> (free: Int64, size: Int64)? {
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return nil }
        let block = Int64(facts.f_frsize)
        return (Int64(facts.f_bavail) * block, Int64(facts.f_blocks) * block)
    }

    /// Real blocks, not a hole: a file that only looks large would free nothing.
    private func layBallast() -> Bool {
        let file = open(ballastPath, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        guard posix_fallocate(file, 0, off_t(Self.ballastBytes)) == 0 else {
            unlink(ballastPath)
            return false
        }
        return true
    }
}
