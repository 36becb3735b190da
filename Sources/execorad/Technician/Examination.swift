import AudioIO
import CloudLink
import Glibc
import JSONText
import Ledger
import Seals

/// What a self-test looks at, one question after the other, each answered in plain words with what to do.
///
/// The daemon asks with its own microphone, book and line; `execorad selftest` asks without a daemon. A question that
/// cannot be asked is `skipped` with the reason: never counted as passed.
struct Examination: Sendable {
    enum Verdict: String, Sendable { case passed, failed, skipped }

    struct Finding: Sendable {
        var check: String
        var verdict: Verdict
        var words: String
        var figures: JSONValue = .object([])

        var json: JSONValue {
            [
                "check": .string(check), "verdict": .string(verdict.rawValue), "words": .string(words),
                "figures": figures,
            ]
        }

        static func passed(_ check: String, _ words: String, _ figures: JSONValue = .object([])) -> Finding {
            Finding(check: check, verdict: .passed, words: words, figures: figures)
        }
        static func failed(_ check: String, _ words: String, _ figures: JSONValue = .object([])) -> Finding {
            Finding(check: check, verdict: .failed, words: words, figures: figures)
        }
        static func skipped(_ check: String, _ words: String) -> Finding {
            Finding(check: check, verdict: .skipped, words: words)
        }
    }

    var configuration: ApplianceConfiguration
    var nowMilliseconds: Int64 = Moment.wallMilliseconds()

    /// When this program was written, at the earliest: 2025-11-01. A clock behind it is certainly wrong.
    static let programMilliseconds: Int64 = 1_761_955_200_000
    /// A clock that differs more from the gateway's receipt makes certificates and due dates doubtful: 5 min.
    static let clockDifferenceMax: Int64 = 300_000
    /// A queue whose oldest piece waits longer with a line that is up does not move: 1 h.
    static let queueAgeMax: Int64 = 3_600_000
    /// The certificate is renewed at a third of its life left; with less than this it was not.
    static let certificateDaysMin: Int64 = 7
    /// More clipped samples than this in a thousand is distortion one hears.
    static let clippedMilliMax: Int64 = 10

    // MARK: Parts of the box

    func models() -> Finding {
        let shelf = ModelShelf(folder: configuration.modelsFolder)
        for name in [configuration.wakeModel, "vad"] {
            do throws(ModelShelf.Fault) { _ = try shelf.model(name) } catch { return .failed("models", "\(error)") }
        }
        return .passed("models", "wake word and voice models are whole")
    }

    /// Watches the microphone for a while. Blocking; on a desk.
    func microphone(_ microphone: Microphone, milliseconds: Int64 = 2_500) -> Finding {
        if microphone.state == .muted { return .skipped("microphone", "the microphone is muted; unmute and try again") }
        let before = microphone.counters
        let end = Moment.monotonicMilliseconds() + milliseconds
        var peak = 0
        var loudest = 0
        while Moment.monotonicMilliseconds() < end {
            usleep(50_000)
            peak = max(peak, microphone.level.peak)
            loudest = max(loudest, microphone.level.rms)
        }
        let after = microphone.counters
        return Self.microphone(
            state: microphone.state, heard: Int64(after.samples - before.samples),
            clipped: Int64(after.clippedSamples - before.clippedSamples), isFlat: microphone.isFlat, peak: peak,
            rms: loudest, floor: microphone.level.floor)
    }

    static func microphone(
        state: MicrophoneState, heard: Int64, clipped: Int64, isFlat: Bool, peak: Int, rms: Int, floor: Int
    ) -> Finding {
        let figures: JSONValue = [
            "samples": .integer(heard), "clipped": .integer(clipped), "peak": .integer(Int64(peak)),
            "rms": .integer(Int64(rms)), "floor": .integer(Int64(floor)),
        ]
        guard heard > 0 else {
            return .failed(
                "microphone", "the microphone gives nothing (\(state)); check its plug and audio.capture_device",
                figures)
        }
        if clipped * 1000 > heard * clippedMilliMax {
            return .failed(
                "microphone", "the microphone clips: lower its gain (alsamixer), or move it from the speaker", figures)
        }
        if isFlat || peak == 0 {
            return .failed(
                "microphone", "the microphone is dead silent: unplugged, switched off, or the wrong channel", figures)
        }
        return .passed("microphone", "the microphone hears the room", figures)
    }

    func voice() -> Finding {
        let voice = Voice(configuration)
        do throws(Voice.Failure) {
            let samples = try voice.samples(saying: "ek do teen")
            return .passed("voice", "the voice speaks", ["samples": .integer(Int64(samples.count))])
        } catch {
            return .failed(
                "voice", "the voice \(configuration.voiceProgram) does not work (\(error)); install espeak-ng")
        }
    }

    func disk() -> Finding {
        guard let space = Disk.space(of: configuration.stateFolder) else {
            return .failed(
                "disk", "\(configuration.stateFolder) cannot be looked at: \(String(cString: strerror(errno)))")
        }
        return Self.disk(space)
    }

    static func disk(_ space: Disk.Space) -> Finding {
        let figures: JSONValue = ["total_bytes": .integer(space.totalBytes), "free_bytes": .integer(space.freeBytes)]
        if space.isReadOnly {
            return .failed(
                "disk", "the disk is read-only: its file system found an error; replace the card, the book is safe",
                figures)
        }
        if space.freeMilli < Disk.freeMilliMin {
            return .failed(
                "disk", "the disk is \((1000 - space.freeMilli) / 10) % full; make room, or sales will be refused",
                figures)
        }
        return .passed("disk", "\(space.freeMilli / 10) % of the disk are free", figures)
    }

    // MARK: Time and identity

    /// - Parameters:
    ///   - newestEntry: when the newest entry of the book was made, wall milliseconds; 0 for none.
    ///   - receipt: what the gateway's clock said in its newest receipt and our own clock then; nil for none.
    func clock(newestEntry: Int64, receipt: (server: Int64, own: Int64)?) -> Finding {
        let figures: JSONValue = ["now_ms": .integer(nowMilliseconds), "newest_entry_ms": .integer(newestEntry)]
        if nowMilliseconds < Self.programMilliseconds {
            return .failed(
                "clock", "the clock is wrong: it stands before this program was written; set the date", figures)
        }
        // Two entries may be made within a clock's slew.
        if nowMilliseconds + 60_000 < newestEntry {
            return .failed(
                "clock", "the clock is wrong: it stands before the newest entry of the book; set the date", figures)
        }
        if let receipt, abs(receipt.server - receipt.own) > Self.clockDifferenceMax {
            let minutes = abs(receipt.server - receipt.own) / 60_000
            return .failed("clock", "the clock is wrong by \(minutes) min against the gateway; set the date", figures)
        }
        return .passed("clock", "the clock is plausible", figures)
    }

    func certificate() -> Finding {
        guard !configuration.gatewayURL.isEmpty else { return .skipped("certificate", "no gateway is set") }
        let folder = IdentityFolder(path: configuration.identityFolder)
        do throws(SealError) {
            let certificate = try folder.certificate()
            let now = nowMilliseconds / 1000
            let (first, last) = (try certificate.notBeforeSeconds, try certificate.notAfterSeconds)
            let figures: JSONValue = ["days_left": .integer((last - now) / 86_400)]
            if last < now {
                return .failed("certificate", "the box's certificate has expired; enrol it again", figures)
            }
            if first > now {
                return .failed("certificate", "the box's certificate is not valid yet: the clock is behind", figures)
            }
            if last - now < Self.certificateDaysMin * 86_400, last - first > 3 * Self.certificateDaysMin * 86_400 {
                return .failed(
                    "certificate", "the certificate ends in days and was not renewed; check the line", figures)
            }
            return .passed("certificate", "the certificate is good for \((last - now) / 86_400) days", figures)
        } catch {
            return .failed("certificate", "the box is not enrolled, or its identity cannot be read; enrol it")
        }
    }

    // MARK: Line

    /// Host and port of `cloud.url`.
    var gateway: (host: String, port: String)? {
        let scheme = "https://"
        guard configuration.gatewayURL.hasPrefix(scheme) else { return nil }
        let authority = configuration.gatewayURL.dropFirst(scheme.count).prefix { $0 != "/" }
        if authority.hasPrefix("["), let close = authority.firstIndex(of: "]") {
            let rest = authority[authority.index(after: close)...]
            return (
                String(authority[authority.index(after: authority.startIndex)..<close]),
                rest.hasPrefix(":") ? String(rest.dropFirst()) : "443"
            )
        }
        let parts = authority.split(separator: ":", maxSplits: 1)
        return parts.isEmpty ? nil : (String(parts[0]), parts.count > 1 ? String(parts[1]) : "443")
    }

    /// Asks the system's resolver. Blocking, for as long as resolv.conf says.
    func names() -> Finding {
        guard let gateway else { return .skipped("names", "no gateway is set") }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let begun = Moment.monotonicMilliseconds()
        let code = getaddrinfo(gateway.host, gateway.port, &hints, &found)
        let took: JSONValue = ["ms": .integer(Moment.monotonicMilliseconds() - begun)]
        guard code == 0, let found else {
            return .failed(
                "names", "the name service (DNS) does not find the gateway; check cable, Wi-Fi and router", took)
        }
        freeaddrinfo(found)
        return .passed("names", "the gateway's name has an address", took)
    }

    /// What the link itself says, last: TLS and both certificates.
    ///
    /// - Parameter line: the link's last word, "up", "none" before it had one, or a code; and its hint.
    func gatewayAccepts(line: String, hint: String?) -> Finding {
        guard !configuration.gatewayURL.isEmpty else { return .skipped("gateway", "no gateway is set") }
        switch line {
        case "up": return .passed("gateway", "the gateway accepts this box")
        case "none": return .skipped("gateway", "the line has not been tried yet")
        default: return .failed("gateway", hint ?? "the gateway is not reached (\(line))", ["code": .string(line)])
        }
    }

    // MARK: Book and queue

    func book(_ book: LedgerStore) -> Finding {
        do throws(BookError) {
            let report = try book.verify()
            let figures: JSONValue = ["entries": .integer(report.entries), "first_bad": JSONValue(report.firstBad)]
            guard report.valid else {
                let at = report.firstBad.map { " at entry \($0)" } ?? ""
                return .failed(
                    "book", "the book's chain is broken\(at): stop selling on this box, keep the file, call support",
                    figures)
            }
            return .passed("book", "all \(report.entries) entries of the book are whole", figures)
        } catch { return .failed("book", "the book cannot be read: \(House.words(error))") }
    }

    /// - Parameters:
    ///   - oldest: how long the oldest spooled turn waits, milliseconds; nil where none does.
    ///   - sync: what `sync.show` says.
    func queue(waiting: Int, oldest: Int64?, sync: JSONValue, isLineUp: Bool) -> Finding {
        let figures: JSONValue = [
            "spooled": .integer(Int64(waiting)), "oldest_ms": JSONValue(oldest), "pending": sync["pending"] ?? .null,
        ]
        if let reason = sync["reason"]?.string {
            return .failed("queue", "sync has stopped for good (\(reason)); call support", figures)
        }
        if let seq = sync["parked_seq"]?.integer {
            return .failed("queue", "the queue is stuck: the gateway refuses entry \(seq); call support", figures)
        }
        if let oldest, oldest > Self.queueAgeMax {
            let hours = oldest / 3_600_000
            let why = isLineUp ? "though the line is up; restart execorad" : "because the line is down"
            return .failed("queue", "the queue is stuck: a turn has waited \(hours) h \(why)", figures)
        }
        return .passed("queue", waiting == 0 ? "nothing waits" : "\(waiting) turns wait, none for long", figures)
    }
}
