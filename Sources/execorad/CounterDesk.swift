import AudioIO
import Conversation
import Diagnostics
import Glibc
import JSONText
import Ledger
import Seals
import Synchronization

/// The technician's side of the counter: what the sockets answer. Reading and changing are separate rights; words of
/// turns go out only where the configuration says so.
final class CounterDesk: Sendable {
    /// A spoken command of 28 s has fewer.
    static let textBytesMax = 4_096

    private let appliance: Appliance
    private let server: DiagnosticsServer
    private let watchers: Watchers
    private let isMadeBySystemd: Bool
    private let answers: Answers

    private let jobs: Desk
    private let gauges: Desk
    private let records: CallRecords
    private let settings: LiveSettings

    init(appliance: Appliance) {
        self.appliance = appliance
        let house = appliance.house
        let configuration = house.configuration
        let runtime = configuration.runtimeFolder
        let watchers = Watchers()
        self.watchers = watchers
        let made = Systemd.listeningDescriptors()
        isMadeBySystemd = made.count == 2
        let jobs = Desk(name: "jobs", jobsMax: Self.jobsMax)
        let gauges = Desk(name: "gauges", jobsMax: 8)
        (self.jobs, self.gauges) = (jobs, gauges)
        let settings = LiveSettings(configuration) { [unowned house] changed in
            house.log.set(level: changed.logLevel)
            house.use(cutoffMilli: changed.wakeCutoffMilli)
        }
        self.settings = settings
        let answers = Answers(
            appliance: appliance, watchers: watchers, jobs: jobs, settings: settings,
            gauges: Gauges(desk: gauges, house: house, microphone: appliance.microphone))
        self.answers = answers
        let presence = house.presence
        let tokens = ServiceTokens(
            keysPath: configuration.technicianKeysPath, device: house.deviceHex,
            nowMilliseconds: Moment.wallMilliseconds)
        let methods = Self.methods(configuration)
        let records = CallRecords(house, methods: methods)
        self.records = records
        let hasButton = configuration.talkLine >= 0
        server = DiagnosticsServer(
            sockets: [
                SocketPlace(path: runtime + "/view.sock", role: .view, descriptor: made["view"]),
                SocketPlace(path: runtime + "/control.sock", role: .tech, descriptor: made["control"]),
            ], methods: methods, version: Execorad.version,
            service: ServiceDoor(
                advice: hasButton
                    ? "hold the talk button for 10 s without speaking, or show a token" : "show a token",
                isPresent: { presence.isPresent },
                token: { text in
                    let result = tokens.look(at: text)
                    if case .success(let grant) = result { presence.tokenShown(milliseconds: grant.milliseconds) }
                    return result
                }), tell: { event in records.note(event) }, handler: { call in answers.answer(call) })
        house.whenPresent { records.notePresence() }
        answers.server.withLock { $0 = server }
        house.register.watch { trace in watchers.push(trace.json(withText: configuration.showsTurnText)) }
        house.watchReceipts { receipt in watchers.push(receipt) }
    }

    /// Self-tests, loop-backs and bundles under way and waiting; they take seconds. One more is told "busy".
    static let jobsMax = 4

    func open() throws(DiagnosticsError) {
        guard isMadeBySystemd || FileBytes.makeFolder(appliance.house.configuration.runtimeFolder) else {
            throw .system(code: errno, operation: "mkdir", path: appliance.house.configuration.runtimeFolder)
        }
        jobs.start()
        gauges.start()
        try server.start()
    }

    /// Writes the metrics file, when the book's desk comes to it. Where the unit names one (`EXECORA_METRICS`).
    func writeMetrics(to path: String) {
        answers.house.clerk.withBook { [answers] book in
            let series = Metrics.series(
                of: answers.appliance, status: answers.status(book), diagnostics: answers.diagnostics())
            if !Metrics.write(Metrics.text(series), to: path) {
                answers.house.log.warning("the metrics file cannot be written")
            }
        }
    }

    /// The control thread, once in a while.
    func tick() {
        records.tick()
        for name in settings.tick() {
            appliance.house.log.notice("a setting went back by itself", .init("key", .string(name)))
        }
    }

    func close() {
        server.close()
        records.close()
        gauges.close()
        jobs.close()
    }
}

/// Clients that watch turns and receipts.
final class Watchers: Sendable {
    private let open = Mutex<[Subscription]>([])

    func add(_ subscription: Subscription) {
        open.withLock { $0.append(subscription) }
    }

    func push(_ line: JSONValue) {
        open.withLock { open in open.removeAll { !$0.push(line) } }
    }
}

/// One answer a method. On the server's thread; what touches the book hops to its desk.
final class Answers: Sendable {
    let appliance: Appliance
    let watchers: Watchers
    var house: House { appliance.house }

    let jobs: Desk
    let gauges: Gauges
    let settings: LiveSettings
    /// For its counts; set once, before the server starts.
    let server = Mutex<DiagnosticsServer?>(nil)

    init(appliance: Appliance, watchers: Watchers, jobs: Desk, settings: LiveSettings, gauges: Gauges) {
        self.settings = settings
        self.appliance = appliance
        self.watchers = watchers
        self.jobs = jobs
        self.gauges = gauges
    }

    func answer(_ call: Call) {
        let reply = call.reply
        let showsText = house.configuration.showsTurnText || call.peer.role == .service
        switch call.method {
        case "status": onBook(reply) { [self] book in status(book) }
        case "health": reply.succeed(health())
        case "metrics":
            onBook(reply) { [self] book in
                [
                    "text": .string(
                        Metrics.text(Metrics.series(of: appliance, status: status(book), diagnostics: diagnostics())))
                ]
            }
        case "turn.last": reply.succeed(house.register.last?.json(withText: showsText) ?? .null)
        case "turn.trace":
            counted(call, 10, 1...50) { [house] count in
                ["turns": .array(house.register.done(last: count).map { $0.json(withText: showsText) })]
            }
        case "turn.watch":
            if let subscription = reply.watch() { watchers.add(subscription) }
        case "say": say(call)
        case "mute.set": mute(call)
        case "ledger.head": onBook(reply) { book throws(BookError) in try book.head().json }
        case "ledger.balances": onBook(reply) { book throws(BookError) in try book.customers().balancesJSON }
        case "ledger.verify": onCopy(reply) { book throws(BookError) in try book.verify().json }
        case "ledger.doctor": onBook(reply) { book throws(BookError) in try book.facts().json }
        case "ledger.backup":
            onCopy(reply) { book throws(BookError) in
                let (path, report) = try book.backup()
                return ["backup": .string(path), "entries": .integer(report.entries)]
            }
        case "ledger.rebuild":
            onBook(reply) { book throws(BookError) in
                let entries = try book.rebuild()
                let report = try book.verify()
                return [
                    "entries": .integer(entries), "valid": .bool(report.valid), "reason": JSONValue(report.reason),
                ]
            }
        case "ledger.restore":
            let source = call.parameters["from"]?.string
            onBook(reply) { [house] book throws(BookError) in
                var random = SystemRandomNumberGenerator()
                let now = WallTime(milliseconds: Moment.wallMilliseconds())
                let report = try book.restore(from: source, at: now, id: ULID(at: now, using: &random))
                // What was being talked about may be of the damaged book.
                house.clerk.forget()
                return report.json
            }
        case "alias.list":
            onBook(reply) { book throws(BookError) in ["aliases": .array(try book.learnedNames().map(\.json))] }
        case "alias.remove": forget(call)
        case "sync.show": onBook(reply) { [house] _ in house.syncReport() }
        case "queue.show": reply.succeed(queue())
        case "queue.flush":
            house.flush()
            reply.succeed(queue())
        case "wake.history":
            counted(call, 50, 1...200) { [house] count in
                ["wakes": .array(house.register.done(last: count).filter { $0.wake != nil }.map(\.wakeRow))]
            }
        case "audio.meter": if let stream = reply.watch() { gauges.add(.meter, stream) }
        case "wake.watch": if let stream = reply.watch() { gauges.add(.wake, stream) }
        case "vad.watch": if let stream = reply.watch() { gauges.add(.voice, stream) }
        default:
            guard let job = BookJob.all.first(where: { "ledger.\($0.name)" == call.method }) else {
                return answerMore(call)
            }
            run(job, call)
        }
    }

    func diagnostics() -> JSONValue {
        guard let counts = server.withLock({ $0?.counts }) else { return .null }
        return [
            "calls": .integer(counts.calls), "refused": .integer(counts.refused),
            "dropped": .integer(counts.droppedSlow),
        ]
    }

    private func health() -> JSONValue {
        let problem = Health.problem(of: appliance)
        return ["well": .bool(problem == nil), "problem": JSONValue(problem)]
    }

    private func queue() -> JSONValue {
        [
            "waiting": .integer(Int64(house.post.waiting.load(ordering: .relaxed))),
            "oldest_s": JSONValue(house.post.oldestWaitMilliseconds.map { $0 / 1000 }),
            "sync_due_ms": .integer(
                max(0, min(house.syncDue.load(ordering: .relaxed), Int64.max / 2) - Moment.bootMilliseconds())),
        ]
    }

    /// Answers with a whole number from the call's `count`.
    private func counted(_ call: Call, _ standard: Int, _ range: ClosedRange<Int>, _ body: (Int) -> JSONValue) {
        let count = call.parameters["count"].map { $0.integer.flatMap { Int(exactly: $0) } ?? -1 } ?? standard
        guard range.contains(count) else {
            return call.reply.fail(.badParameters("count is \(range.lowerBound) to \(range.upperBound)"))
        }
        call.reply.succeed(body(count))
    }

    /// What changes the book is done by its owner; a report is read from a copy of the moment beside it.
    private func run(_ job: BookJob, _ call: Call) {
        let (reply, parameters) = (call.reply, call.parameters)
        let body: @Sendable (LedgerStore) -> Void = { [house] book in
            let now = WallTime(milliseconds: Moment.wallMilliseconds())
            let circumstances = BookJob.Circumstances(now: now, by: "technician") {
                var random = SystemRandomNumberGenerator()
                return ULID(at: now, using: &random)
            }
            do throws(JobError) {
                let answer = try job.run(book, parameters, circumstances)
                reply.succeed(answer)
                if job.name == "erase" { house.clerk.forget() }
                if job.writes { house.entriesMade() }
            } catch {
                switch error {
                case .parameters(let text): reply.fail(.badParameters(text))
                case .book(let error): reply.fail(.failed(House.words(error)))
                }
            }
        }
        guard job.writes ? house.clerk.withBook(body) : house.withCopy(body, failed: { reply.fail(.failed($0)) }) else {
            return reply.fail(.busy("the book is busy; try again"))
        }
    }

    /// Long reading: on the reports' own thread, so that nobody at the counter waits for it.
    private func onCopy(_ reply: Reply, _ job: @escaping @Sendable (LedgerStore) throws(BookError) -> JSONValue) {
        let taken = house.withCopy(
            { book in
                do throws(BookError) { reply.succeed(try job(book)) } catch { reply.fail(.failed(House.words(error))) }
            }, failed: { reply.fail(.failed($0)) })
        if !taken { reply.fail(.busy("reports are being made; try again")) }
    }

    func onBook(_ reply: Reply, _ job: @escaping @Sendable (LedgerStore) throws(BookError) -> JSONValue) {
        let taken = house.clerk.withBook { book in
            do throws(BookError) { reply.succeed(try job(book)) } catch { reply.fail(.failed(House.words(error))) }
        }
        if !taken { reply.fail(.busy("the book is busy; try again")) }
    }

    private func say(_ call: Call) {
        guard let text = call.parameters["text"]?.string, !text.isEmpty else {
            call.reply.fail(.badParameters("text is missing"))
            return
        }
        guard text.utf8.count <= CounterDesk.textBytesMax else {
            call.reply.fail(.badParameters("text is longer than \(CounterDesk.textBytesMax) bytes"))
            return
        }
        let reply = call.reply
        let taken = house.clerk.typed(text) { answer, turn in
            reply.succeed([
                "turn": .string(turn.description), "intent": JSONValue(answer.intent), "slots": answer.slots,
                "code": JSONValue(answer.code), "speech": .string(answer.speech), "gate": .string(answer.gate.rawValue),
                "confidence": .integer(answer.confidenceMilli),
                "journal": .array(
                    answer.committed.map {
                        ["epoch": .integer($0.epoch), "seq": .integer($0.seq), "hash": .string(Hex.text($0.hash))]
                    }),
            ])
        }
        if !taken { reply.fail(.busy("the book is busy; try again")) }
    }

    private func forget(_ call: Call) {
        guard let customer = call.parameters["customer"]?.integer,
            let alias = call.parameters["alias"]?.string, alias.utf8.count <= CounterDesk.textBytesMax
        else {
            call.reply.fail(.badParameters("customer and alias are missing"))
            return
        }
        var random = SystemRandomNumberGenerator()
        let now = WallTime(milliseconds: Moment.wallMilliseconds())
        let id = ULID(at: now, using: &random)
        let reply = call.reply
        let taken = house.clerk.changeBook { book in
            do throws(BookError) {
                let isGone = try book.forgetLearned(alias, of: CustomerID(rawValue: customer), id: id, at: now)
                reply.succeed(["removed": .bool(isGone)])
            } catch {
                reply.fail(.failed(House.words(error)))
            }
        }
        if !taken { reply.fail(.busy("the book is busy; try again")) }
    }

    private func mute(_ call: Call) {
        guard let on = call.parameters["on"]?.bool else {
            call.reply.fail(.badParameters("on must be true or false"))
            return
        }
        if on { appliance.microphone.mute(.soft) } else { appliance.microphone.unmute(.soft) }
        call.reply.succeed(["on": .bool(on)])
    }

    func status(_ book: LedgerStore) -> JSONValue {
        let microphone: Microphone = appliance.microphone
        let counters = microphone.counters
        let level = microphone.level
        let head = try? book.head()
        let wake = house.wakeModel
        return [
            "version": .string(Execorad.version),
            "uptime_s": .integer((Moment.monotonicMilliseconds() - appliance.startedAt) / 1000),
            "start_to_first_frame_ms": JSONValue(appliance.startToFirstFrameMilliseconds),
            "mic": .string(CounterDesk.word(microphone.state)),
            "mute": .array(microphone.muteReasons.map { .string($0 == .soft ? "soft" : "hardware") }),
            "flat": .bool(microphone.isFlat),
            "level": [
                "rms": .integer(Int64(level.rms)), "peak": .integer(Int64(level.peak)),
                "floor": .integer(Int64(level.floor)),
            ],
            "capture": [
                "samples": .integer(Int64(clamping: counters.samples)),
                "overruns": .integer(Int64(clamping: counters.overruns)),
                "opens": .integer(Int64(clamping: counters.opens)),
                "losses": .integer(Int64(clamping: counters.losses)),
                "ear_lost_samples": .integer(Int64(clamping: house.ear.overtakenSamples.load(ordering: .relaxed))),
            ],
            "wake": [
                "model": JSONValue(wake?.name), "phrase": JSONValue(wake?.phrase),
                "cutoff": JSONValue(wake.map { _ in house.cutoffMilli.load(ordering: .relaxed) }),
                "score": .integer(house.ear.score.load(ordering: .relaxed)),
            ],
            "in_turn": .bool(house.ear.isInTurn), "speaking": .bool(house.mouth.isSpeaking),
            "question_open": .bool(house.clerk.isQuestionOpen), "turns_open": .integer(Int64(house.register.openCount)),
            "link": .string(house.line.word), "spool": .integer(Int64(house.post.waiting.load(ordering: .relaxed))),
            "book": head?.json ?? .null, "sync": house.syncReport(),
            "problem": JSONValue(Health.problem(of: appliance)),
            "certificate_seconds_left": JSONValue(house.certificateSecondsLeft),
            "disk_free_milli": JSONValue(Disk.freeMilli(of: house.configuration.stateFolder)),
            "clock": .string(
                MachineAnswers.time(
                    now: Moment.wallMilliseconds(), floor: newestEntry(book),
                    receipt: house.receiptClock.withLock { $0 })["quality"]?.string ?? "none"),
            "disk": [
                "level": .string(house.disk.level.word), "free_bytes": .integer(house.disk.freeBytes),
                "ballast": .bool(house.disk.holdsBallast),
            ], "held": .integer(Int64((try? book.holds().count) ?? 0)),
            "clock_quality": .integer(house.clockTrust.quality),
        ]
    }

    /// When the newest entry was made, by its id; 0 for an empty book.
    func newestEntry(_ book: LedgerStore) -> Int64 {
        guard let head = try? book.head(), head.seq > 0,
            let event = try? book.events(after: head.seq - 1, epoch: head.epoch, limit: 1).first
        else { return 0 }
        return Int64(event.id.high >> 16)
    }
}

extension CounterDesk {
    static func word(_ state: MicrophoneState) -> String {
        switch state {
        case .stopped: "stopped"
        case .opening: "opening"
        case .open: "open"
        case .lost: "lost"
        case .muted: "muted"
        case .ended: "ended"
        }
    }
}
