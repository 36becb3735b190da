import Seals

/// The chain over stored bytes: each event's hash covers the device, its place, the hash before and the body.
public enum ChainLink {
    /// What the first event follows.
    public static let start = [UInt8](repeating: 0, count: SHA256.byteCount)

    /// SHA-256("evt1" || device(16) || epoch u64 || seq u64 || prev(32) || SHA-256(body)), integers big-endian.
    ///
    /// - Precondition: `device` has 16 bytes and `prev` 32.
    public static func hash(device: [UInt8], epoch: Int64, seq: Int64, prev: [UInt8], body: [UInt8]) -> [UInt8] {
        ChainHasher(device: device).hash(epoch: epoch, seq: seq, prev: prev, body: body)
    }
}

/// The same for many events of one device: what does not change is made once. One thread.
final class ChainHasher {
    private var digest = SHA256()
    private var link: [UInt8]
    private let fixed: Int

    /// - Precondition: `device` has 16 bytes.
    init(device: [UInt8]) {
        precondition(device.count == 16, "a device of another size")
        link = Array("evt1".utf8)
        link.reserveCapacity(100)
        link += device
        fixed = link.count
    }

    func hash(epoch: Int64, seq: Int64, prev: [UInt8], body: [UInt8]) -> [UInt8] {
        precondition(prev.count == SHA256.byteCount, "chain link of another shape")
        link.removeLast(link.count - fixed)
        for number in [epoch, seq] {
            for shift in stride(from: 56, through: 0, by: -8) {
                link.append(UInt8(truncatingIfNeeded: UInt64(bitPattern: number) >> UInt64(shift)))
            }
        }
        link += prev
        digest.update(body)
        link += digest.finish()
        digest.update(link)
        return digest.finish()
    }
}

/// An event as stored: what is hashed, signed and sent, byte for byte.
public struct StoredEvent: Hashable, Sendable {
    public var epoch: Int64
    public var seq: Int64
    public var id: ULID
    /// The command's code (`JournalEntry.type`).
    public var type: Int64
    public var body: [UInt8]
    public var prev: [UInt8]
    public var hash: [UInt8]

    public init(epoch: Int64, seq: Int64, id: ULID, type: Int64, body: [UInt8], prev: [UInt8], hash: [UInt8]) {
        self.epoch = epoch
        self.seq = seq
        self.id = id
        self.type = type
        self.body = body
        self.prev = prev
        self.hash = hash
    }
}

/// The newest event of the chain; seq 0 with the starting hash when there is none.
public struct ChainHead: Hashable, Sendable {
    public var epoch: Int64
    public var seq: Int64
    public var hash: [UInt8]

    public init(epoch: Int64, seq: Int64, hash: [UInt8]) {
        self.epoch = epoch
        self.seq = seq
        self.hash = hash
    }
}

/// How far the gateway has receipted this book, with the receipt's bytes.
public struct SyncCursor: Hashable, Sendable {
    public var epoch: Int64
    public var seq: Int64
    public var hash: [UInt8]
    public var receipt: [UInt8]

    public init(epoch: Int64, seq: Int64, hash: [UInt8], receipt: [UInt8]) {
        self.epoch = epoch
        self.seq = seq
        self.hash = hash
        self.receipt = receipt
    }
}

/// An event's place in the book as one number: events of a later epoch come after all of an earlier one.
struct Place: Hashable, Comparable {
    var rawValue: Int64

    init(rawValue: Int64) { self.rawValue = rawValue }
    /// 2^40 events an epoch: at 500 a day, six million years.
    init(epoch: Int64, seq: Int64) { rawValue = (epoch - 1) << 40 | seq }

    var epoch: Int64 { rawValue >> 40 + 1 }
    var seq: Int64 { rawValue & (1 << 40 - 1) }

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
