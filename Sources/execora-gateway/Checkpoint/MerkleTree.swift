import Seals

/// A Merkle tree over leaves in order, all levels of it.
///
/// - Source: RFC 9162, 2.1: leaf = SHA-256(0x00 || data), node = SHA-256(0x01 || left || right); of an odd number the
///   last goes up as it is, which is the same tree as its split at the largest power of two.
struct MerkleTree: Sendable {
    /// The lowest level first; each hash 32 bytes; the last level is the root alone.
    let levels: [[[UInt8]]]

    /// - Parameter leaves: at least one.
    init(leaves: [[UInt8]]) {
        precondition(!leaves.isEmpty, "a tree of nothing")
        var levels = [leaves.map(Self.leaf)]
        while let last = levels.last, last.count > 1 {
            var next: [[UInt8]] = []
            next.reserveCapacity((last.count + 1) / 2)
            for index in stride(from: 0, to: last.count, by: 2) {
                next.append(index + 1 < last.count ? Self.node(last[index], last[index + 1]) : last[index])
            }
            levels.append(next)
        }
        self.levels = levels
    }

    static func leaf(_ data: [UInt8]) -> [UInt8] { SHA256.digest([0], data) }
    static func node(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] { SHA256.digest([1], left, right) }

    var root: [UInt8] { levels[levels.count - 1][0] }

    /// The hashes beside the way from a leaf to the root.
    func proof(of index: Int) -> [[UInt8]] {
        Self.siblings(of: index, count: levels[0].count).map { levels[$0.level][$0.index] }
    }

    /// Where those hashes are; levels that have none beside the way are passed over.
    static func siblings(of index: Int, count: Int) -> [(level: Int, index: Int)] {
        var (places, index, count, level): ([(level: Int, index: Int)], Int, Int, Int) = ([], index, count, 0)
        while count > 1 {
            let beside = index ^ 1
            if beside < count { places.append((level, beside)) }
            (index, count, level) = (index / 2, (count + 1) / 2, level + 1)
        }
        return places
    }

    /// The root that a leaf and its proof come to; nil when the proof is of another length.
    static func root(of data: [UInt8], index: Int, count: Int, proof: [[UInt8]]) -> [UInt8]? {
        guard index >= 0, index < count else { return nil }
        var (hash, index, count, rest) = (leaf(data), index, count, proof[...])
        while count > 1 {
            if index ^ 1 < count {
                guard let beside = rest.popFirst() else { return nil }
                hash = index & 1 == 0 ? node(hash, beside) : node(beside, hash)
            }
            (index, count) = (index / 2, (count + 1) / 2)
        }
        return rest.isEmpty ? hash : nil
    }
}
