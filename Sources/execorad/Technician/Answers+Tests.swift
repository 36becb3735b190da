import AudioIO
import CloudLink
import Diagnostics
import Glibc
import JSONText
import Ledger
import Seals
import Synchronization

/// What takes seconds or touches the machine. Quick answers on the server's thread, the rest on the jobs' desk.
extension Answers {
    private var configuration: ApplianceConfiguration { house.configuration }

    func answerMore(_ call: Call) {
        let reply = call.reply
        switch call.method {
        case "audio.devices": reply.succeed(MachineAnswers.soundCards())
        case "audio.params": reply.succeed(parameters())
        case "audio.tone": tone(call)
        case "audio.prompt":
            onDesk(reply) { [self] in reply.succeed(["spoken": .bool(say("Namaste, main sun rahi hoon."))]) }
        case "audio.loopback": loopback(call, keeps: false)
        case "audio.calibrate": loopback(call, keeps: true)
        case "audio.record": record(call)
        case "led.test": onDesk(reply) { [self] in lampTest(reply) }
        case "net.check": netCheck(call)
        case "tls.show": reply.succeed(MachineAnswers.certificate(configuration, now: Moment.wallMilliseconds()))
        case "tls.rotate": rotate(reply)
        case "time.show":
            onBook(reply) { [self] book in
                MachineAnswers.time(
                    now: Moment.wallMilliseconds(), floor: max(newestEntry(book), Examination.programMilliseconds),
                    receipt: house.receiptClock.withLock { $0 })
            }
        case "storage.show": reply.succeed(MachineAnswers.storage(configuration.stateFolder))
        case "log.tail": logTail(call)
        case "log.level": logLevel(call)
        case "config.get": reply.succeed(settings.configuration.json)
        case "config.set": change(call)
        case "config.confirm": confirm(call)
        case "gpio.read": reply.succeed(["lines": .array(appliance.buttons?.reading ?? [])])
        case "button.watch":
            guard let buttons = appliance.buttons else {
                return reply.fail(.refused("no button's line could be opened; see the log"))
            }
            if let stream = reply.watch() { buttons.watch(stream) }
        case "selftest.run": selfTest(call)
        case "bundle.export": bundle(call)
        case "daemon.restart":
            reply.succeed(["restarting": true])
            appliance.wantsRestart.set()
        case "identity.reset": reset(reply)
        default: reply.fail(.failed("no such method"))
        }
    }

    private func onDesk(_ reply: Reply, _ job: @escaping @Sendable () -> Void) {
        if !jobs.post(job) { reply.fail(.busy("\(CounterDesk.jobsMax) tests run or wait already; try again")) }
    }

    // MARK: Sound

    private func parameters() -> JSONValue {
        let counters = appliance.microphone.counters
        let opened = appliance.opened.withLock { $0 }
        return [
            "device": .string(configuration.captureDevice),
            "mic": .string(CounterDesk.word(appliance.microphone.state)),
            "hertz": JSONValue(opened.map { Int64($0.parameters.hertz) }),
            "channels": JSONValue(opened.map { Int64($0.parameters.channels) }),
            "period_frames": JSONValue(opened.map { Int64($0.parameters.periodFrames) }),
            "buffer_frames": JSONValue(opened.map { Int64($0.parameters.bufferFrames) }),
            "real_time": .bool(opened?.parameters.isRealTime ?? false),
            "overruns": .integer(Int64(clamping: counters.overruns)),
            "opens": .integer(Int64(clamping: counters.opens)),
            "losses": .integer(Int64(clamping: counters.losses)), "drift_ppm": JSONValue(drift(opened, counters)),
            "wake_ups": .integer(Int64(clamping: counters.wakeUps)),
        ]
    }

    /// The card's clock against the machine's, parts in a million; nil in the first minute, when one period would be
    /// most of it.
    private func drift(_ opened: Appliance.Opened?, _ counters: CaptureCounters) -> Int64? {
        guard let opened, appliance.microphone.state == .open else { return nil }
        let elapsed = Moment.monotonicMilliseconds() - opened.at
        guard elapsed > 60_000 else { return nil }
        let captured = Int64(clamping: counters.samples) - opened.samples
        return (captured - elapsed * 16) * 1_000_000 / (elapsed * 16)
    }

    private func tone(_ call: Call) {
        let name = call.parameters["earcon"]?.string ?? "wake"
        guard let earcon = Earcon(rawValue: name) else {
            return call.reply.fail(
                .badParameters("earcon is \(Earcon.allCases.map(\.rawValue).joined(separator: ", "))"))
        }
        call.reply.succeed(["played": .bool(house.speaker.play(SoundClip(samples: earcon.samples())))])
    }

    /// Says a fixed sentence and waits for its end. On the jobs' desk.
    private func say(_ text: String) -> Bool {
        let voice = Voice(
            program: configuration.voiceProgram, name: configuration.voiceName,
            wordsPerMinute: configuration.voiceWordsPerMinute)
        guard let samples = try? voice.samples(saying: text) else { return false }
        return play(samples)
    }

    private func play(_ samples: [Int16], onStart: (@Sendable (Int64) -> Void)? = nil) -> Bool {
        let done = DoneFlag()
        let heard = DoneFlag()
        var clip = SoundClip(samples: samples)
        clip.onStart = onStart
        clip.onEnd = { end in
            if end == .played { heard.set() }
            done.set()
        }
        guard house.speaker.play(clip) else { return false }
        let end = Moment.monotonicMilliseconds() + Int64(samples.count / 16) + 5_000
        while !done.isSet, Moment.monotonicMilliseconds() < end { usleep(10_000) }
        return heard.isSet
    }

    private var baselinePath: String { configuration.stateFolder + "/loopback.json" }

    private func loopback(_ call: Call, keeps: Bool) {
        guard appliance.microphone.state == .open else {
            return call.reply.fail(.refused("the microphone is not open"))
        }
        let reply = call.reply
        onDesk(reply) { [self] in
            guard let job = reply.watch() else { return }
            job.push(["step": "sweep"])
            house.ear.order(.speaking(true))
            defer { house.ear.order(.speaking(false)) }
            let begin = Atomic<UInt64>(0)
            let ring = house.ring
            let isPlayed = play(Loopback.sweep()) { _ in begin.store(ring.end, ordering: .releasing) }
            let need = Loopback.sweepSamples + Loopback.searchSamples
            let from = begin.load(ordering: .acquiring)
            let until = Moment.monotonicMilliseconds() + 4_000
            while ring.end < from + UInt64(need), Moment.monotonicMilliseconds() < until { usleep(20_000) }
            var heard = [Int16](repeating: 0, count: need)
            let copied = heard.withUnsafeMutableBufferPointer { ring.copy(from: from, into: $0) }
            guard isPlayed, case .samples(let count) = copied, count == need, let result = Loopback.measure(heard)
            else {
                return job.finish(["heard": false, "words": "the speaker or the microphone gave nothing; check both"])
            }
            let baseline = FileBytes.read(baselinePath, bytesMax: 4_096).flatMap { try? JSONValue(parsing: $0) }
            if keeps, result.isHeard { FileBytes.keep(result.json.bytes, at: baselinePath) }
            job.finish(Loopback.verdict(result, baseline: baseline, isKept: keeps && result.isHeard))
        }
    }

    /// What comes in the next seconds goes to the technician's own file, after the box has said so.
    private func record(_ call: Call) {
        let reply = call.reply
        guard let seconds = call.parameters["seconds"]?.integer, (1...10).contains(seconds) else {
            return reply.fail(.badParameters("seconds is 1 to 10"))
        }
        guard let file = call.file, file.isPlainAndWritable else {
            return reply.fail(.badParameters("the file must be a plain one, open for writing"))
        }
        guard appliance.microphone.state == .open else { return reply.fail(.refused("the microphone is not open")) }
        onDesk(reply) { [self] in
            guard say("Recording for the technician. Technician ke liye recording.") else {
                return reply.fail(.refused("the box cannot say that it records; nothing was recorded"))
            }
            house.lamp.show(.listening)
            defer { house.lamp.show(.dark) }
            let ring = house.ring
            var at = ring.end
            let last = at + UInt64(seconds) * 16_000
            if let code = file.write(WAVHeader.bytes(samples: Int(last - at))) {
                return reply.fail(.failed("the file cannot be written: \(String(cString: strerror(code)))"))
            }
            let deadline = Moment.monotonicMilliseconds() + seconds * 1000 + 3_000
            var chunk = [Int16](repeating: 0, count: 3_200)
            while at < last, Moment.monotonicMilliseconds() < deadline {
                guard ring.end > at else {
                    usleep(50_000)
                    continue
                }
                let want = Int(min(last - at, 3_200))
                let copied = chunk.withUnsafeMutableBufferPointer {
                    ring.copy(from: at, into: .init(rebasing: $0[..<want]))
                }
                guard case .samples(let count) = copied else { break }
                let bytes = chunk[..<count].flatMap {
                    [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
                }
                if let code = file.write(bytes) {
                    return reply.fail(.failed("the file cannot be written: \(String(cString: strerror(code)))"))
                }
                at += UInt64(count)
            }
            guard at == last else { return reply.fail(.failed("the microphone stopped while recording")) }
            file.settle()
            reply.succeed(["seconds": .integer(seconds)])
        }
    }

    private func lampTest(_ reply: Reply) {
        for show in [Lamp.Show.listening, .thinking, .speaking, .muted, .dark] {
            house.lamp.show(show)
            usleep(1_000_000)
        }
        reply.succeed(["shown": 5])
    }

    // MARK: Network and identity

    private func netCheck(_ call: Call) {
        let reply = call.reply
        onDesk(reply) { [self] in
            guard let job = reply.watch() else { return }
            let look = Examination(configuration: configuration)
            var findings: [Examination.Finding] = []
            let newest = withBook { [self] book in newestEntry(book) } ?? 0
            let receipt = house.receiptClock.withLock { $0 }
            for ask in [
                { look.link() }, { look.route() }, look.names, look.reach, look.roundTrip,
                { look.clock(newestEntry: newest, receipt: receipt) }, look.certificate,
                { [house] in look.gatewayAccepts(line: house.line.word, hint: house.line.hint) },
            ] {
                let finding = ask()
                findings.append(finding)
                job.push(finding.json)
            }
            let failed = findings.first { $0.verdict == .failed }
            job.finish([
                "passed": .bool(failed == nil), "failed_step": JSONValue(failed?.check),
                "words": JSONValue(failed?.words),
            ])
        }
    }

    private func rotate(_ reply: Reply) {
        let isAsked = house.rotateCertificate { result in
            switch result {
            case .success: reply.succeed(["rotated": true])
            case .failure(let error): reply.fail(.failed(error.hint))
            }
        }
        if !isAsked { reply.fail(.refused("there is no line to the gateway")) }
    }

    /// The box becomes nobody's; its book and the key that signed it stay, or nobody could prove the book any more.
    private func reset(_ reply: Reply) {
        let folder = IdentityFolder(path: configuration.identityFolder)
        for path in [folder.tlsKeyPath, folder.identityPath, folder.chainPath, folder.trustPath] {
            FileBytes.destroy(path)
        }
        house.log.notice("the identity was reset")
        reply.succeed(["reset": true])
        appliance.wantsRestart.set()
    }

    // MARK: Log

    private func logTail(_ call: Call) {
        let count = call.parameters["count"].map { $0.integer ?? -1 } ?? 50
        guard (0...Int64(LogBook.linesMax)).contains(count) else {
            return call.reply.fail(.badParameters("count is 0 to \(LogBook.linesMax)"))
        }
        guard let stream = call.reply.watch() else { return }
        let book = house.log.book
        for line in book.last(Int(count)) { stream.push(["line": .string(line)]) }
        let number = Mutex(0)
        let watching = book.watch { line in
            if !stream.push(["line": .string(line)]) { book.forget(number.withLock { $0 }) }
        }
        number.withLock { $0 = watching }
    }

    private func logLevel(_ call: Call) {
        guard let level = call.parameters["level"]?.string.flatMap({ EventLog.Level(name: $0) }) else {
            return call.reply.fail(.badParameters("level is debug, info, notice, warning or error"))
        }
        change(call, "diagnostics.log_level", .text(level.name), LiveSettings.logLevelMilliseconds) {
            ["level": .string(level.name), "seconds": .integer(LiveSettings.logLevelMilliseconds / 1000)]
        }
    }

    // MARK: Settings

    private func change(_ call: Call) {
        guard let key = call.parameters["key"]?.string else { return call.reply.fail(.badParameters("key is missing")) }
        let value: ConfigurationEntry.Value
        switch call.parameters["value"] {
        case .some(.integer(let number)): value = .integer(number)
        case .some(.string(let text)): value = .text(text)
        case .some(.bool(let flag)): value = .flag(flag)
        default: return call.reply.fail(.badParameters("value is a number, a text or true or false"))
        }
        change(call, key, value, LiveSettings.trialMilliseconds) {
            [
                "key": .string(key), "value": call.parameters["value"] ?? .null,
                "goes_back_after_s": .integer(LiveSettings.trialMilliseconds / 1000),
                "to_keep": .string("config.confirm \(key)"),
            ]
        }
    }

    private func change(
        _ call: Call, _ key: String, _ value: ConfigurationEntry.Value, _ milliseconds: Int64, answer: () -> JSONValue
    ) {
        do throws(LiveSettings.Mistake) {
            try settings.set(key, to: value, milliseconds: milliseconds)
            call.reply.succeed(answer())
        } catch { call.reply.fail(.badParameters(error.words)) }
    }

    private func confirm(_ call: Call) {
        guard let key = call.parameters["key"]?.string else { return call.reply.fail(.badParameters("key is missing")) }
        guard settings.confirm(key) else {
            return call.reply.fail(.refused("nothing waits to be confirmed for \(key)"))
        }
        call.reply.succeed([
            "key": .string(key), "kept": .string("until the daemon ends; for good, write it into the file"),
        ])
    }

    // MARK: Reports

    /// Runs with the book on its own desk and waits for it. On the jobs' desk.
    private func withBook<Value: Sendable>(_ body: @escaping @Sendable (LedgerStore) -> Value) -> Value? {
        let result = Mutex<Value?>(nil)
        let done = DoneFlag()
        let taken = house.clerk.withBook { book in
            let value = body(book)
            result.withLock { $0 = value }
            done.set()
        }
        while taken, !done.isSet { usleep(2_000) }
        return result.withLock { $0 }
    }

    private func bench() -> SelfTest.Bench {
        let (newest, sync) = withBook { [self] book in (newestEntry(book), house.syncReport()) } ?? (0, .null)
        return SelfTest.Bench(
            configuration: configuration, microphone: appliance.microphone,
            withBook: { [self] look in withBook(look) ?? .skipped("book", "the book is busy; try again") },
            newestEntry: newest, receipt: house.receiptClock.withLock { $0 },
            waiting: house.post.waiting.load(ordering: .relaxed), oldest: house.post.oldestWaitMilliseconds, sync: sync,
            line: house.line.word, hint: house.line.hint)
    }

    private func selfTest(_ call: Call) {
        let reply = call.reply
        onDesk(reply) { [self] in
            guard let job = reply.watch() else { return }
            let report = SelfTest.run(bench()) { job.push($0.json) }
            if call.parameters["quiet"]?.bool != true {
                let failed = report["failed"]?.integer ?? 0
                _ = say(failed == 0 ? "Self test passed." : "Self test failed, \(failed) problems.")
            }
            house.log.notice(
                "self-test", .init("report", report["report"] ?? .null), .init("failed", report["failed"] ?? .null))
            job.finish(report)
        }
    }

    private func bundle(_ call: Call) {
        let reply = call.reply
        guard let file = call.file, file.isPlainAndWritable else {
            return reply.fail(.badParameters("the file must be a plain one, open for writing"))
        }
        let holdsWords = call.peer.role == .service
        onDesk(reply) { [self] in
            var bundle = Bundle()
            bundle.holdsWords = holdsWords
            bundle.add("status.json", withBook { [self] book in status(book) } ?? .null)
            bundle.add("config.json", configuration.json)
            bundle.add("selftest.json", SelfTest.run(bench()) { _ in })
            bundle.add("book.json", withBook { book in (try? book.facts().json) ?? .null } ?? .null)
            bundle.add("turns.jsonl", house.register.done(last: 200).map { $0.json(withText: holdsWords).text })
            let look = Examination(configuration: configuration)
            bundle.add("net.json", .array([look.link(), look.route(), look.roundTrip()].map(\.json)))
            bundle.add("audio.json", ["parameters": parameters(), "cards": MachineAnswers.soundCards()])
            bundle.add("storage.json", MachineAnswers.storage(configuration.stateFolder))
            bundle.add("certificate.json", MachineAnswers.certificate(configuration, now: Moment.wallMilliseconds()))
            bundle.add("log.txt", house.log.book.last(LogBook.linesMax))
            let tar = bundle.tar(at: Moment.wallMilliseconds() / 1000)
            if let code = file.write(tar) {
                return reply.fail(.failed("the file cannot be written: \(String(cString: strerror(code)))"))
            }
            file.settle()
            reply.succeed(["bytes": .integer(Int64(tar.count)), "files": .integer(Int64(bundle.files.count + 1))])
        }
    }
}

/// The 44 bytes before 16 kHz mono samples of 16 bits.
enum WAVHeader {
    static func bytes(samples: Int) -> [UInt8] {
        func little(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        return Array("RIFF".utf8) + little(36 + 2 * samples, 4) + Array("WAVEfmt ".utf8) + little(16, 4) + little(1, 2)
            + little(1, 2) + little(16_000, 4) + little(32_000, 4) + little(2, 2) + little(16, 2) + Array("data".utf8)
            + little(2 * samples, 4)
    }
}

extension Loopback {
    /// A level that fell to half (6 dB) or a delay that moved by 30 ms is not the box that was installed.
    static func verdict(_ result: Result, baseline: JSONValue?, isKept: Bool) -> JSONValue {
        var words =
            result.isHeard ? "the box hears itself" : "the box does not hear itself: check speaker and microphone"
        var passed = result.isHeard
        if result.isHeard, !isKept, let level = baseline?["level"]?.integer, let delay = baseline?["delay_ms"]?.integer
        {
            if result.level * 2 < level {
                (passed, words) = (false, "the speaker is heard at less than half of when it was installed")
            } else if abs(result.delayMilliseconds - delay) > 30 {
                (passed, words) = (false, "the sound comes later or earlier than when it was installed")
            }
        }
        return [
            "passed": .bool(passed), "words": .string(words), "result": result.json, "baseline": baseline ?? .null,
            "kept": .bool(isKept),
        ]
    }
}
