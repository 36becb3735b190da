import AudioIO
import Glibc
import JSONText
import Seals

/// What the machine under the daemon says: cards, clock, disk, certificate. Read from the kernel's files that the
/// sandbox leaves visible (`ProcSubset=pid` hides /proc/asound, so cards come from /sys).
enum MachineAnswers {
    static func soundCards(root: String = "/sys/class/sound") -> JSONValue {
        var cards: [JSONValue] = []
        for number in 0..<32 {
            let card = "\(root)/card\(number)"
            guard let id = line("\(card)/id") else { continue }
            cards.append([
                "card": .integer(Int64(number)), "id": .string(id),
                "captures": .bool((0..<8).contains { access("\(root)/pcmC\(number)D\($0)c", F_OK) == 0 }),
                "plays": .bool((0..<8).contains { access("\(root)/pcmC\(number)D\($0)p", F_OK) == 0 }),
            ])
        }
        return ["cards": .array(cards)]
    }

    /// - Parameter floor: the newest moment that is certainly past.
    static func time(now: Int64, floor: Int64, receipt: (server: Int64, own: Int64)?) -> JSONValue {
        let marks = ["/run/systemd/timesync/synchronized", "/run/chrony/synchronized"]
        let isSynchronized = marks.contains { (path: String) in access(path, F_OK) == 0 }
        let quality =
            if receipt.map({ abs($0.server - $0.own) <= Examination.clockDifferenceMax }) == true {
                "gateway"
            } else if isSynchronized {
                "ntp"
            } else if now >= floor { "floor" } else { "none" }
        return [
            "now_ms": .integer(now), "quality": .string(quality), "floor_ms": .integer(floor),
            "ntp": .bool(isSynchronized), "offset_to_gateway_ms": JSONValue(receipt.map { $0.own - $0.server }),
            "boot": .string(Hex.text(BootID.bytes)), "since_boot_ms": .integer(Moment.bootMilliseconds()),
        ]
    }

    static func storage(_ folder: String) -> JSONValue {
        guard let space = Disk.space(of: folder) else { return .null }
        var facts = stat()
        var device: String?
        if stat(folder, &facts) == 0 {
            // Major and minor as in sysmacros.h.
            let number = UInt64(facts.st_dev)
            device = "\(number >> 8 & 0xFFF):\(number & 0xFF | number >> 12 & 0xFFF00)"
        }
        let block = device.map { "/sys/dev/block/\($0)" }
        // Sectors of 512 bytes written: the seventh number of `stat` (Documentation/block/stat.rst).
        let written = block.flatMap { line("\($0)/stat") }?.split(separator: " ").dropFirst(6).first.flatMap {
            Int64($0)
        }
        // eMMC tells its wear in tenths of its life, two kinds of cells; an SD card does not.
        let life = block.flatMap { line("\($0)/device/life_time") ?? line("\($0)/../device/life_time") }
        return [
            "total_bytes": .integer(space.totalBytes), "free_bytes": .integer(space.freeBytes),
            "free_milli": .integer(space.freeMilli), "read_only": .bool(space.isReadOnly),
            "written_bytes_since_boot": JSONValue(written.map { $0 * 512 }),
            "emmc_life": JSONValue(life),
        ]
    }

    static func certificate(_ configuration: ApplianceConfiguration, now: Int64) -> JSONValue {
        let folder = IdentityFolder(path: configuration.identityFolder)
        do throws(SealError) {
            let certificate = try folder.certificate()
            let (first, last) = (try certificate.notBeforeSeconds, try certificate.notAfterSeconds)
            return [
                "subject": JSONValue(certificate.commonName), "not_before_s": .integer(first),
                "not_after_s": .integer(last), "days_left": .integer((last - now / 1000) / 86_400),
                "renew_after_s": .integer(try certificate.renewAfterSeconds),
                "fingerprint": .string(Hex.text(try certificate.fingerprint)), "key": "file, 0600, in the state folder",
            ]
        } catch { return ["enrolled": false] }
    }

    private static func line(_ path: String) -> String? {
        FileBytes.read(path, bytesMax: 4_096).map { bytes in
            let text = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
            return text.split(separator: " ").joined(separator: " ")
        }
    }
}
