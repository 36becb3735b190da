import Flash
import Glibc

/// The check of the disk itself: it may lose what was not synced, sector by sector, and never what was; a removed name
/// can come back, and a new one be gone, until the folder is synced. A disk that only pretends to be cut would find
/// nothing wrong with any book.
public struct DiskCheck {
    let disk: FaultDisk
    private let folder = FaultFolder()

    public init(disk: FaultDisk) { self.disk = disk }

    public func run(times: Int) -> FaultOutcome {
        var outcome = FaultOutcome(part: "the disk itself")
        var (back, gone, torn, whole, renamed) = (0, 0, 0, 0, 0)
        let old = [UInt8](repeating: 1, count: 4096)
        let new = [UInt8](repeating: 2, count: 4096)
        for _ in 0..<times {
            folder.empty()
            disk.forget()
            outcome.faults += 1
            let (kept, changed, removed, made) = (
                folder.path + "/kept", folder.path + "/changed", folder.path + "/removed", folder.path + "/made"
            )
            let (replaced, beside) = (folder.path + "/replaced", folder.path + "/replaced.new")
            for path in [kept, changed, removed, replaced] {
                put(path, old)
                disk.didSync(path, disk.platter(path, isNew: true), withFolder: false)
            }
            FaultDisk.write(changed, new)
            new.withUnsafeBytes { disk.platter(changed, isNew: false).write($0, at: 0) }
            put(made, new)
            unlink(removed)
            disk.didUnlink(removed, folderIsSynced: false)
            // Through the other face: a file replaced as `Flash` does it, the folder not yet synced.
            let calls = Flash.calls
            let file = calls.create(beside)
            _ = new.withUnsafeBytes { calls.write(file, $0) }
            _ = calls.sync(file)
            calls.close(file)
            _ = calls.rename(beside, replaced)
            disk.restartAfterPowerCut()

            if FaultDisk.read(kept) != old { outcome.note(Violation("disk", "what was synced is lost"), "kept") }
            let after = FaultDisk.read(changed)
            if after.count != old.count || after.contains(where: { $0 != 1 && $0 != 2 }) {
                outcome.note(Violation("disk", "what is there was never written"), "changed")
            }
            for sector in stride(from: 0, to: after.count, by: Platter.sectorBytes)
            where Set(after[sector..<min(after.count, sector + Platter.sectorBytes)]).count > 1 {
                outcome.note(Violation("disk", "a sector is torn"), "changed")
            }
            switch FaultDisk.read(replaced) {
            case new: renamed += 1
            case old: break
            default: outcome.note(Violation("disk", "a replaced file is neither"), "replaced")
            }
            if Set(after).count > 1 { torn += 1 } else if after == new { whole += 1 }
            if access(removed, F_OK) == 0 { back += 1 }
            if access(made, F_OK) != 0 { gone += 1 }
        }
        for (count, what) in [
            (back, "a removed name"), (gone, "a new name lost"), (torn, "a torn write"), (renamed, "a rename lost"),
        ]
        where count == 0 || count == times {
            outcome.note(Violation("disk", "\(what): \(count) of \(times) times"), "over all cuts")
        }
        outcome.note =
            "of \(times) cuts: removed name back \(back), new name gone \(gone), rename kept \(renamed), write torn \(torn), "
            + "whole \(whole)"
        return outcome
    }

    private func put(_ path: String, _ bytes: [UInt8]) {
        FaultDisk.write(path, bytes)
        let platter = disk.platter(path, isNew: true)
        bytes.withUnsafeBytes { platter.write($0, at: 0) }
    }
}
