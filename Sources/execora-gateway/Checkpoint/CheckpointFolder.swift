import Glibc
import JSONText
import Seals

/// `checkpoints/` in the state folder: the newest note, and the tree it is over, so that any device can be given the
/// proof of its own head with a few reads.
///
///     latest.note    the signed note
///     latest.tree    count u64 | leaf data, 96 bytes each | all levels' hashes, 32 bytes each, lowest level first
///     N.note         every note that was made, by its time in milliseconds; 0.3 kB each
struct CheckpointFolder: Sendable {
    static let leafBytes = 96

    let path: String
    private var treePath: String { path + "/latest.tree" }
    private var notePath: String { path + "/latest.note" }

    init(_ state: StateFolder) { path = state.path + "/checkpoints" }

    /// Makes and keeps a checkpoint of these heads.
    ///
    /// - Returns: nil when there is no device yet.
    func make(
        _ heads: [DeviceHead], key: SigningKey, nowMilliseconds now: Int64
    ) throws -> (checkpoint: Checkpoint, note: String)? {
        guard !heads.isEmpty else { return nil }
        let leaves = Checkpoint.order(heads).map(Checkpoint.leaf)
        let tree = MerkleTree(leaves: leaves)
        let checkpoint = Checkpoint(size: leaves.count, root: tree.root)
        let note = try checkpoint.note(signedBy: key)
        try PrivateFile.makeFolder(path)
        var bytes = withUnsafeBytes(of: UInt64(leaves.count).bigEndian) { Array($0) }
        for leaf in leaves { bytes += leaf }
        for level in tree.levels { for hash in level { bytes += hash } }
        // The tree first: a note without its tree could prove nothing. One that is newer than the note is told by root.
        try PrivateFile.write(bytes, to: treePath)
        try PrivateFile.write(Array(note.utf8), to: notePath)
        try PrivateFile.write(Array(note.utf8), to: path + "/\(now).note")
        return (checkpoint, note)
    }

    /// A note with the lines of witnesses behind the gateway's own; a longer one is refused.
    static let noteBytesMax = 8192

    /// Takes the newest note back from a witness, with his line behind it: devices are given it so from now on. Whether
    /// the line holds is for those to check who trust the witness.
    ///
    /// - Returns: how many lines stand behind the gateway's own; nil when it is not the newest note, or not whole.
    func keep(cosigned note: String) throws -> Int? {
        guard note.utf8.count <= Self.noteBytesMax,
            let newest = try? String(decoding: PrivateFile.read(notePath, secret: false), as: UTF8.self),
            note.hasPrefix(newest)
        else { return nil }
        let lines = note.dropFirst(newest.count).split(separator: "\n", omittingEmptySubsequences: false)
        // Each ends in a newline, so the last piece is empty.
        guard lines.last == "",
            lines.dropLast().allSatisfy({ line in
                let words = line.split(separator: " ")
                return words.count == 3 && words[0] == "\u{2014}"
            })
        else { return nil }
        try PrivateFile.write(Array(note.utf8), to: notePath)
        return lines.count - 1
    }

    /// The note, a device's leaf in it and the hashes from there to the root, as the device keeps them.
    ///
    /// - Returns: nil when no checkpoint was made since the device came.
    func proof(shop: [UInt8], device: [UInt8]) throws(GatewayError) -> JSONValue? {
        guard let note = try? PrivateFile.read(notePath, secret: false) else { return nil }
        let file = open(treePath, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let count = Int(try read(file, at: 0, count: 8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        let wanted = shop + device
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            let key = try read(file, at: 8 + middle * Self.leafBytes + 16, count: 32)
            if key.lexicographicallyPrecedes(wanted) { low = middle + 1 } else { high = middle }
        }
        guard low < count, case let leaf = try read(file, at: 8 + low * Self.leafBytes, count: Self.leafBytes),
            Array(leaf[16..<48]) == wanted
        else { return nil }
        // Where each level begins, counted in hashes.
        var (starts, width): ([Int], Int) = ([0], count)
        while width > 1 {
            starts.append(starts[starts.count - 1] + width)
            width = (width + 1) / 2
        }
        let hashes = 8 + count * Self.leafBytes
        var proof: [JSONValue] = []
        for place in MerkleTree.siblings(of: low, count: count) {
            let hash = try read(file, at: hashes + 32 * (starts[place.level] + place.index), count: 32)
            proof.append(.string(Hex.text(hash)))
        }
        return [
            "note": .string(String(decoding: note, as: UTF8.self)), "index": .integer(Int64(low)),
            "size": .integer(Int64(count)), "leaf": .string(Hex.text(leaf)), "proof": .array(proof),
        ]
    }

    private func read(_ file: Int32, at offset: Int, count: Int) throws(GatewayError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard pread(file, &bytes, count, off_t(offset)) == count else {
            throw .file(path: treePath, code: errno == 0 ? EIO : errno, operation: "read")
        }
        return bytes
    }
}
