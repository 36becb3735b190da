/// One file as flash holds it: what was synced, and what was written since and may or may not be there after a cut.
final class Platter {
    enum Change {
        case write(offset: Int, bytes: [UInt8])
        case truncate(size: Int)
    }

    /// A cut tears between these: the smallest piece a disk writes whole.
    static let sectorBytes = 512

    /// As it certainly is.
    private(set) var synced: [UInt8]
    private(set) var pending: [Change] = []

    init(synced: [UInt8]) { self.synced = synced }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        pending.append(.write(offset: offset, bytes: Array(bytes)))
    }
    func truncate(to size: Int) { pending.append(.truncate(size: size)) }

    /// What was written is on flash now.
    func sync() {
        for change in pending { Self.apply(change, to: &synced) }
        pending.removeAll(keepingCapacity: true)
    }

    /// A sync failed: some of it is on flash, and the kernel calls all of it clean (Rebello et al., ATC 2020): what is
    /// not there now will never be written again.
    func failSync(_ random: inout Seeded) {
        synced = image(&random)
        pending.removeAll(keepingCapacity: true)
    }

    /// The file as a cut may leave it: each sector, and the length, as of any moment since the last sync.
    func image(_ random: inout Seeded) -> [UInt8] {
        guard !pending.isEmpty else { return synced }
        // Nothing came through, all of it, or each sector by its own chance.
        let mode = random.pick(0...5)
        if mode == 0 { return synced }
        var states: [Int: [[UInt8]]] = [:]
        var now = synced
        var sizes = [synced.count]
        for change in pending {
            let range: Range<Int>
            switch change {
            case .write(let offset, let bytes): range = offset..<offset + bytes.count
            case .truncate(let size): range = min(size, now.count)..<max(size, now.count)
            }
            let sectors =
                range.isEmpty
                ? 0..<0 : range.lowerBound / Self.sectorBytes..<(range.upperBound - 1) / Self.sectorBytes + 1
            for sector in sectors where states[sector] == nil { states[sector] = [Self.sector(sector, of: now)] }
            Self.apply(change, to: &now)
            for sector in sectors { states[sector]!.append(Self.sector(sector, of: now)) }
            sizes.append(now.count)
        }
        if mode == 1 { return now }
        var image = synced
        let size = sizes[random.pick(0...sizes.count - 1)]
        if image.count < size { image += [UInt8](repeating: 0, count: size - image.count) }
        for sector in states.keys.sorted() {
            let versions = states[sector]!
            let bytes = versions[random.pick(0...versions.count - 1)]
            let start = sector * Self.sectorBytes
            guard start < image.count else { continue }
            let end = min(image.count, start + Self.sectorBytes)
            image.replaceSubrange(start..<end, with: bytes[..<(end - start)])
        }
        return Array(image[..<min(size, image.count)])
    }

    private static func sector(_ index: Int, of bytes: [UInt8]) -> [UInt8] {
        let start = index * sectorBytes
        guard start < bytes.count else { return [UInt8](repeating: 0, count: sectorBytes) }
        let held = bytes[start..<min(bytes.count, start + sectorBytes)]
        return held + [UInt8](repeating: 0, count: sectorBytes - held.count)
    }

    private static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .write(let offset, let new):
            if bytes.count < offset { bytes += [UInt8](repeating: 0, count: offset - bytes.count) }
            let overlap = min(bytes.count - offset, new.count)
            if overlap > 0 { bytes.replaceSubrange(offset..<offset + overlap, with: new[..<overlap]) }
            if overlap < new.count { bytes += new[overlap...] }
        case .truncate(let size):
            if size < bytes.count {
                bytes.removeLast(bytes.count - size)
            } else {
                bytes += [UInt8](repeating: 0, count: size - bytes.count)
            }
        }
    }
}
