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
    static let methods: [Method] =
        [
            Method("status", .view, "one screen: microphone, line, queue, book"),
            Method("turn.last", .view, "the trace of the last turn"),
            Method("turn.watch", .view, isStream: true, "each turn's trace and each receipt, as they come"),
            Method("say", .tech, "a transcript, as if it had been heard: {\"text\": ...}"),
            Method("mute.set", .tech, "close or open the microphone: {\"on\": true}"),
            Method("ledger.head", .view, "epoch, number and hash of the newest entry"),
            Method("ledger.balances", .tech, "what each customer owes"),
            Method("ledger.verify", .view, "checks the whole book"),
            Method("ledger.doctor", .view, "facts of the book's file"),
            Method("ledger.backup", .tech, "copies the book beside itself and verifies the copy"),
            Method("ledger.rebuild", .tech, "makes all projections anew from the journal; the counter waits"),
            Method("alias.list", .tech, "names learned from a yes"),
            Method("alias.remove", .tech, "takes a learned name back: {\"customer\": 3, \"alias\": ...}"),
            Method("sync.show", .view, "what the gateway has receipted"),
            Method("queue.show", .view, "turns waiting in the spool"),
        ] + BookJob.all.map { Method("ledger.\($0.name)", .tech, $0.summary) }

    /// A spoken command of 28 s has fewer.
    static let textBytesMax = 4_096

    private let appliance: Appliance
    private let server: DiagnosticsServer
    private let watchers: Watchers

    init(appliance: Appliance) {
        self.appliance = appliance
        let house = appliance.house
        let runtime = house.configuration.runtimeFolder
        let log = house.log
        let watchers = Watchers()
        self.watchers = watchers
        let answers = Answers(appliance: appliance, watchers: watchers)
        server = DiagnosticsServer(
            sockets: [
                SocketPlace(path: runtime + "/view.sock", role: .view),
                SocketPlace(path: runtime + "/control.sock", role: .tech),
            ], methods: Self.methods, version: Execorad.version,
            tell: { event in
                switch event {
                case .called(let method, let peer), .refused(let method, let peer):
                    // Reading is not noted; what changes something is.
                    guard Self.methods.contains(where: { $0.name == method && $0.role > .view }) else { return }
                    log.notice(
                        "technician's call", .init("method", .string(method)), .init("uid", .integer(Int64(peer.uid))),
                        .init("pid", .integer(Int64(peer.pid))))
                default: break
                }
            }, handler: { call in answers.answer(call) })
        house.register.watch { trace in watchers.push(trace.json(withText: house.configuration.showsTurnText)) }
        house.watchReceipts { receipt in watchers.push(receipt) }
    }

    func open() throws(DiagnosticsError) {
        guard FileBytes.makeFolder(appliance.house.configuration.runtimeFolder) else {
            throw .system(code: errno, operation: "mkdir", path: appliance.house.configuration.runtimeFolder)
        }
        try server.start()
    }

    func close() { server.close() }
}

/// Clients that watch turns and receipts.
private final class Watchers: Sendable {
    private let open = Mutex<[Subscription]>([])

    func add(_ subscription: Subscription) {
        open.withLock { $0.append(subscription) }
    }

    func push(_ line: JSONValue) {
        open.withLock { open in open.removeAll { !$0.push(line) } }
    }
}

/// One answer a method. On the server's thread; what touches the book hops to its desk.
private struct Answers: Sendable {
    let appliance: Appliance
    let watchers: Watchers
    private var house: House { appliance.house }

    init(appliance: Appliance, watchers: Watchers) {
        self.appliance = appliance
        self.watchers = watchers
    }

    func answer(_ call: Call) {
        let reply = call.reply
        switch call.method {
        case "status": onBook(reply) { book in status(book) }
        case "turn.last":
            reply.succeed(house.register.last?.json(withText: house.configuration.showsTurnText) ?? .null)
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
            onBook(reply) { book throws(BookError) in ["entries": .integer(try book.rebuild())] }
        case "alias.list":
            onBook(reply) { book throws(BookError) in ["aliases": .array(try book.learnedNames().map(\.json))] }
        case "alias.remove": forget(call)
        case "sync.show": onBook(reply) { _ in house.syncReport() }
        case "queue.show":
            reply.succeed(["waiting": .integer(Int64(house.post.waiting.load(ordering: .relaxed)))])
        default:
            guard let job = BookJob.all.first(where: { "ledger.\($0.name)" == call.method }) else {
                return reply.fail(.failed("no such method"))
            }
            run(job, call)
        }
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

    private func onBook(_ reply: Reply, _ job: @escaping @Sendable (LedgerStore) throws(BookError) -> JSONValue) {
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

    private func status(_ book: LedgerStore) -> JSONValue {
        let microphone = appliance.microphone
        let counters = microphone.counters
        let level = microphone.level
        let head = try? book.head()
        let wake = house.wakeModel
        return [
            "version": .string(Execorad.version),
            "uptime_s": .integer((Moment.monotonicMilliseconds() - appliance.startedAt) / 1000),
            "start_to_first_frame_ms": JSONValue(appliance.startToFirstFrameMilliseconds),
            "mic": .string(Self.word(microphone.state)),
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
                "cutoff": JSONValue(wake.map { Int64(($0.cutoff * 1000).rounded()) }),
                "score": .integer(house.ear.score.load(ordering: .relaxed)),
            ],
            "in_turn": .bool(house.ear.isInTurn), "speaking": .bool(house.mouth.isSpeaking),
            "question_open": .bool(house.clerk.isQuestionOpen), "turns_open": .integer(Int64(house.register.openCount)),
            "link": .string(house.line.word), "spool": .integer(Int64(house.post.waiting.load(ordering: .relaxed))),
            "book": head?.json ?? .null, "sync": house.syncReport(),
            "disk": [
                "level": .string(house.disk.level.word), "free_bytes": .integer(house.disk.freeBytes),
                "ballast": .bool(house.disk.holdsBallast),
            ], "held": .integer(Int64((try? book.holds().count) ?? 0)),
            "clock_quality": .integer(house.clockTrust.quality),
        ]
    }

    private static func word(_ state: MicrophoneState) -> String {
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
