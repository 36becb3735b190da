import AudioIO
import Glibc

/// The one thing to look at first, in plain words with what to do. For `status`, for systemd's STATUS line, for the
/// top of a self-test. Any thread; touches no disk.
enum Health {
    /// Nil when all is well.
    static func problem(of appliance: Appliance) -> String? {
        let house = appliance.house
        return problem(
            state: appliance.microphone.state, isFlat: appliance.microphone.isFlat, link: house.line.word,
            hasLink: house.link != nil, freeMilli: Disk.freeMilli(of: house.configuration.stateFolder))
    }

    static func problem(
        state: MicrophoneState, isFlat: Bool, link: String, hasLink: Bool, freeMilli: Int64?
    ) -> String? {
        switch state {
        case .lost: return "the microphone is gone; check its plug (it is tried again by itself)"
        case .opening: return "the microphone is not open yet; check audio.capture_device if this stays"
        case .muted: return "the microphone is muted: execoractl unmute, or the switch on the box"
        case .stopped, .ended: return "the microphone is not running; restart execorad"
        case .open: break
        }
        if isFlat { return "the microphone gives no sound at all; check its cable" }
        if let freeMilli, freeMilli < Disk.freeMilliMin {
            return "the disk is nearly full; make room, or sales will be refused"
        }
        if hasLink, link != "up", link != "none" {
            return "the gateway is not reached (\(link)); entries are kept and sent later"
        }
        return nil
    }
}

/// Room on the disk the book lies on.
enum Disk {
    /// Below this the book may soon refuse a sale: 30 thousandths, about a gigabyte of a 32 GB card.
    static let freeMilliMin: Int64 = 30

    struct Space: Equatable {
        var totalBytes: Int64
        var freeBytes: Int64
        var isReadOnly: Bool

        var freeMilli: Int64 { totalBytes > 0 ? freeBytes * 1000 / totalBytes : 0 }
    }

    static func space(of folder: String) -> Space? {
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return nil }
        let block = Int64(facts.f_frsize)
        return Space(
            totalBytes: Int64(facts.f_blocks) * block, freeBytes: Int64(facts.f_bavail) * block,
            isReadOnly: facts.f_flag & 1 != 0)
    }

    static func freeMilli(of folder: String) -> Int64? { space(of: folder)?.freeMilli }
}
