import AudioIO
import CloudLink
import Conversation
import JSONText
import Ledger
import LedgerSync
import OpusCoding
import Seals
import Synchronization
import WakeWord

/// The rooms of one device, wired in the order of the sound. The daemon and a rehearsal use the same; they differ in
/// where samples come from and who calls `hear`.
final class House: @unchecked Sendable {
    // @unchecked: what is implicitly unwrapped is set once in `init`, before any thread starts; `syncRunner`,
    // `logRunner` and their couriers are only touched on `desk`.

    /// Why a house cannot be opened: said to the person at the terminal, exit code 1 or 2.
    struct Fault: Error {
        var line: String
        var exitCode: Int32 = 1
    }

    let configuration: ApplianceConfiguration
    let log: EventLog
    let register = TurnRegister()
    let lamp: Lamp
    let presence = Presence()
    private let onPresence = Mutex<(@Sendable () -> Void)?>(nil)
    /// SQLite, the spool and all decisions about them.
    let desk = Desk(name: "book", jobsMax: 256)
    /// Reports, verification, backups: they read the book beside its owner.
    let reportDesk = Desk(name: "reports", jobsMax: 4)
    let voiceDesk = Desk(name: "voice", jobsMax: Mouth.waitingMax)
    let ring = SampleRing()
    let speaker: Speaker
    /// Nil where only the button opens a turn.
    let wakeModel: WakeModel?
    private let manifestCutoffMilli: Int64
    private let loadedCutoffMilli: Int64
    /// The wake word's cutoff as it counts now, thousandths; 0 without a wake model.
    let cutoffMilli: Atomic<Int64>
    /// Between the microphone's ring and the ear, where own voice is taken out by software.
    private let echo: EchoStage?
    private let mustForgetSound = Atomic<Bool>(false)
    private(set) var link: GatewayLink?
    private(set) var ear: Ear!
    private(set) var mouth: Mouth!
    private(set) var clerk: Clerk!
    private(set) var post: PostOffice!
    private(set) var reader: RingReader!

    private var renewal: Renewal?
    /// When the certificate's age is looked at next, boot milliseconds.
    private let renewalLook = Atomic<Int64>(0)
    static let renewalLookMilliseconds: Int64 = 3_600_000
    /// When reminders that are due and held entries that waited a day are looked for next, boot milliseconds.
    private let dueLook = Atomic<Int64>(0)
    static let dueLookMilliseconds: Int64 = 30_000

    private var courier: Courier?
    private var syncRunner: SyncRunner?
    private var logCourier: LogCourier?
    private var logRunner: ShopLogRunner?
    /// When sync wants to be called, monotonic ms; `.max` for never. Read by the control thread without the desk.
    let syncDue = Atomic<Int64>(.max)
    private let receiptWatchers = Mutex<[@Sendable (JSONValue) -> Void]>([])
    let line = Line()
    /// The shop's, as the book says.
    private let language = Mutex("hi-en")
    /// The gateway's clock and our own at the newest receipt, wall milliseconds.
    let receiptClock = Mutex<(server: Int64, own: Int64)?>(nil)
    /// What the book and the batches say about the wall clock.
    let clockTrust = ClockTrust()
    private let bookKeys: [[UInt8]]
    private let diskWatch: Mutex<DiskWatch>

    init(_ configuration: ApplianceConfiguration, log: EventLog, output: SpeakerConfiguration.Backend) throws(Fault) {
        self.configuration = configuration
        self.log = log
        lamp = Lamp(path: configuration.ledPath, log: log)
        guard FileBytes.makeFolder(configuration.stateFolder) else {
            throw Fault(line: "\(configuration.stateFolder) cannot be made; set device.state_dir to a writable folder")
        }

        diskWatch = Mutex(DiskWatch(folder: configuration.stateFolder))

        // Ear's models first: a wrong one is the commonest mistake of a new board.
        let shelf = ModelShelf(folder: configuration.modelsFolder)
        var wake: WakeModel?
        var stop: WakeModel?
        let voice: WakeModel
        do {
            if configuration.wakeModel != ApplianceConfiguration.noModel {
                wake = try shelf.model(configuration.wakeModel)
            }
            if !configuration.stopModel.isEmpty { stop = try shelf.model(configuration.stopModel) }
            voice = try shelf.model("vad")
        } catch { throw Fault(line: "\(error)", exitCode: 2) }
        manifestCutoffMilli = wake.map { Int64(($0.cutoff * 1000).rounded()) } ?? 0
        if configuration.wakeCutoffMilli > 0 { wake?.cutoff = Float(configuration.wakeCutoffMilli) / 1000 }
        loadedCutoffMilli =
            configuration.wakeCutoffMilli > 0 ? Int64(configuration.wakeCutoffMilli) : manifestCutoffMilli
        cutoffMilli = Atomic(loadedCutoffMilli)
        wakeModel = wake

        let household: Household
        let book: LedgerStore
        do {
            household = try Household.open(configuration)
            bookKeys = try household.bookKeys()
            book = try household.openBook(configuration) { [clockTrust] in clockTrust.quality }
        } catch let error as BookError {
            throw Fault(line: "the book \(configuration.bookPath) cannot be opened: \(Self.words(error))")
        } catch {
            throw Fault(line: "the identity in \(configuration.identityFolder) cannot be used: \(error); enrol again")
        }

        guard let reader = ring.reader() else { preconditionFailure("a new ring has a place for its first reader") }
        self.reader = reader
        let reference = configuration.echo == .speex ? EchoReference(microphone: ring) : nil
        let echo = reference.map { EchoStage(reader: reader, reference: $0) }
        self.echo = echo

        var playback = SpeakerConfiguration(backend: output)
        playback.gainMilli = configuration.volumeMilli
        playback.tailMilliseconds = Int64(configuration.playbackTailMilliseconds)
        speaker = Speaker(configuration: playback, clock: Moment.monotonicMilliseconds, reference: reference) { event in
            if case .failed(let error) = event {
                log.error("the speaker cannot be used", .init("why", .string("\(error)")))
            }
        }
        let wallClock: @Sendable () -> WallTime = { WallTime(milliseconds: Moment.wallMilliseconds()) }

        // Voice.
        mouth = Mouth(
            desk: voiceDesk,
            voice: Voice(configuration), recorded: RecordedPrompts(path: configuration.promptsPath), speaker: speaker,
            register: register, log: log, hasEarcons: configuration.hasEarcons,
            doors: .init(
                ear: { [unowned self] order in ear.order(order) }, lamp: { [unowned self] show in lamp.show(show) },
                language: { [unowned self] in language.withLock { $0 } }))

        // Words and book.
        clerk = Clerk(
            desk: desk, book: book,
            dialogue: Dialogue(
                book: book, configuration: DialogueConfiguration(), random: SystemRandomNumberGenerator()),
            register: register, log: log,
            doors: .init(
                say: { [unowned self] turn, answer in
                    post.expect(answer.gate)
                    mouth.say(turn, answer)
                },
                entriesMade: { [unowned self] in entriesMade() },
                settled: { [unowned self] turn in post.settled(turn) }), wallClock: wallClock)

        // Wire.
        try openLink(household)
        var spool: AudioSpool?
        do {
            spool = try AudioSpool.open(
                path: configuration.spoolFolder, key: try household.folder.spoolKey(),
                configuration: AudioSpool.Configuration(
                    bytesMax: configuration.spoolMegabytesMax << 20,
                    ageMax: .seconds(configuration.spoolHoursMax * 3600)))
        } catch {
            log.error("the spool cannot be used; without a line nothing can be kept", .init("why", .string("\(error)")))
        }
        post = PostOffice(
            link: link, line: line, spool: spool, desk: desk, register: register, log: log,
            doors: .init(
                heard: { [unowned self] reply, isLate in clerk.heard(reply, isLate: isLate) },
                tell: { [unowned self] turn, line in clerk.tell(turn, line) },
                isQuiet: { [unowned self] in
                    !ear.isInTurn && !mouth.isSpeaking && register.openCount == 0 && !clerk.isQuestionOpen
                }), wallClock: wallClock)
        openSync(household, book)

        // Ear.
        let earRing = echo?.clean ?? ring
        guard let earReader = echo == nil ? reader : earRing.reader() else {
            preconditionFailure("a new ring has a place for its first reader")
        }
        let encoder: OpusSpeechEncoder
        do { encoder = try .open() } catch { throw Fault(line: "libopus refused an encoder: \(error)") }
        ear = Ear(
            ring: earRing, reader: earReader,
            listener: WakeListener(
                wake: wake.map { [$0] } ?? [], voice: voice, stop: stop, isQuick: configuration.isWakeQuick),
            encoder: encoder,
            settings: Ear.Settings(configuration), register: register, log: log,
            doors: .init(
                begin: { [unowned self] opened in post.begin(opened) },
                cancelled: { [unowned self] turn, opening in
                    register.drop(turn)
                    if opening == .wake { mouth.sound(.error) }
                }, lamp: { [unowned self] show in lamp.show(show) },
                earcon: { [unowned self] earcon in mouth.sound(earcon) },
                interrupt: { [unowned self] in mouth.interrupt() },
                // Asked on the dsp thread, which owns the stage.
                isOwnVoice: { [unowned self] in self.echo?.isOwnVoice ?? false },
                heldInSilence: { [unowned self] in openService() }),
            makeID: {
                var random = SystemRandomNumberGenerator()
                return ULID(at: wallClock(), using: &random)
            })
    }

    /// Hears all the sound there is: own voice out, then the ear. The dsp thread alone.
    func hear() {
        if mustForgetSound.exchange(false, ordering: .acquiringAndReleasing) { echo?.wipe() }
        echo?.work()
        ear.listen()
    }

    /// The microphone was muted: nothing of what was heard is kept anywhere. Any thread.
    func forgetSound() {
        mustForgetSound.store(true, ordering: .releasing)
        ear.order(.muted)
        reader.bell.signal()
    }

    /// An order to the ear that must not wait for the next sound. Any thread.
    func order(_ order: Ear.Order) {
        ear.order(order)
        reader.bell.signal()
    }

    /// Somebody held the talk button and said nothing: the technician is here. Said aloud, so that nobody at the counter
    /// opens service without knowing it.
    private func openService() {
        presence.shown()
        log.notice("service is open: the button was held", .init("ms", .integer(Presence.milliseconds)))
        lamp.serve(true)
        if let note = onPresence.withLock({ $0 }) { note() }
        var random = SystemRandomNumberGenerator()
        clerk.tell(ULID(at: WallTime(milliseconds: Moment.wallMilliseconds()), using: &random), .serviceOpen)
    }

    /// - Parameter note: called when the button was held, on the listening thread; quick.
    func whenPresent(_ note: @escaping @Sendable () -> Void) { onPresence.withLock { $0 = note } }

    /// Another cutoff for the wake word, thousandths; 0 is the manifest's. Any thread.
    func use(cutoffMilli wanted: Int) {
        let cutoff = wanted > 0 ? Int64(wanted) : manifestCutoffMilli
        cutoffMilli.store(cutoff, ordering: .relaxed)
        order(.shiftCutoff(cutoff - loadedCutoffMilli))
    }

    /// Starts the desks, the speaker and the link; not the microphone.
    func start() {
        desk.start()
        reportDesk.start()
        voiceDesk.start()
        speaker.start()
        desk.post { [self] in
            refreshVocabulary()
            noteSyncDue()
        }
    }

    /// Ends in the reverse order of the sound.
    func stop() {
        link?.stop()
        speaker.stop()
        voiceDesk.close()
        reportDesk.close()
        desk.close()
    }

    /// Opens the book for reading as it stands, beside its owner, and does a job with it on the reports' thread.
    ///
    /// - Returns: false when too many wait already.
    func withCopy(_ job: @escaping @Sendable (LedgerStore) -> Void, failed: @escaping @Sendable (String) -> Void)
        -> Bool
    {
        reportDesk.post { [configuration, bookKeys] in
            do throws(BookError) {
                job(try LedgerStore.inspect(path: configuration.bookPath, wrappingKeys: bookKeys))
            } catch {
                failed(Self.words(error))
            }
        }
    }

    // Line and sync ------------------------------------------------------------------------------------------------

    private func openLink(_ household: Household) throws(Fault) {
        guard !configuration.gatewayURL.isEmpty else {
            log.notice("no cloud.url: what is spoken is kept until a gateway is set")
            return
        }
        guard household.identity != nil else {
            log.warning("not enrolled: run 'execorad enrol'; until then what is spoken is kept")
            return
        }
        let folder = household.folder
        do {
            link = try GatewayLink.start(
                GatewayLink.Configuration(
                    url: configuration.gatewayURL, trustPath: folder.trustPath, chainPath: folder.chainPath,
                    keyPath: folder.tlsKeyPath, connectTimeout: .milliseconds(configuration.connectTimeoutMilliseconds),
                    replyTimeout: .milliseconds(configuration.replyTimeoutMilliseconds),
                    ping: .seconds(configuration.keepAliveSeconds))
            ) { [unowned self] event in heard(event) }
        } catch {
            throw Fault(line: "cloud.url cannot be used: \(error.hint)", exitCode: 2)
        }
    }

    private func heard(_ event: LinkEvent) {
        line.take(event)
        switch event {
        case .up:
            log.notice("the gateway answers")
            desk.post { [self] in
                syncRunner?.lineUp(now: moment())
                logRunner?.hurry(now: moment())
                noteSyncDue()
                post.takeLateTurn()
            }
        case .down(let error):
            log.warning(
                "the gateway does not answer", .init("why", .string(error.code)), .init("hint", .string(error.hint)))
        }
    }

    private func openSync(_ household: Household, _ book: LedgerStore) {
        guard let link, let identity = household.identity else { return }
        renewal = Renewal(folder: household.folder, device: identity.device)
        let courier = Courier(link: link) { [unowned self] id, answer in
            desk.post { [self] in
                syncRunner?.answered(answer, to: id, now: moment())
                noteSyncDue()
            }
        }
        self.courier = courier
        var sync = SyncConfiguration()
        sync.coalesceMilliseconds = Int64(configuration.syncCoalesceMilliseconds)
        sync.idleMilliseconds = Int64(configuration.syncIntervalSeconds) * 1000
        syncRunner = SyncRunner(
            book: book, door: courier, identity: identity, key: household.ledgerKey, bootID: BootID.bytes,
            configuration: sync,
            random: {
                var random = SystemRandomNumberGenerator()
                return random.next()
            }, now: moment(), tell: { [unowned self] event in told(event) })
        let logCourier = LogCourier(link: link) { [unowned self] number, answer in
            desk.post { [self] in
                logRunner?.answered(answer, to: number, now: moment())
                noteSyncDue()
            }
        }
        self.logCourier = logCourier
        var random = SystemRandomNumberGenerator()
        logRunner = ShopLogRunner(
            book: book, door: logCourier, identity: identity, seed: random.next(), now: moment(),
            tell: { [unowned self] event in told(event) })
    }

    /// Makes the sync round that is due, and takes a late turn where there is one. Cheap to call; posts only with a
    /// reason, so that an idle house sleeps.
    func tick() {
        watchDisk()
        lamp.serve(presence.isServiceOpen)
        let now = Moment.bootMilliseconds()
        if now >= dueLook.load(ordering: .relaxed) {
            dueLook.store(now + Self.dueLookMilliseconds, ordering: .relaxed)
            desk.post { [self] in
                clerk.voidLapsedHolds()
                // A clock that is known to be wrong would send a year of them at once.
                if clockTrust.quality > 0 { clerk.fireReminders() }
            }
        }
        if line.isUp, now >= renewalLook.load(ordering: .relaxed) {
            renewalLook.store(now + Self.renewalLookMilliseconds, ordering: .relaxed)
            renewCertificate()
        }
        let hasLate = post.waiting.load(ordering: .relaxed) > 0 && line.isUp
        guard now >= syncDue.load(ordering: .relaxed) || hasLate else { return }
        desk.post { [self] in
            syncRunner?.run(now: moment())
            // Without a line a look would only fail; the line's return brings one.
            if line.isUp { logRunner?.run(now: moment()) }
            noteSyncDue()
            post.takeLateTurn()
        }
    }

    /// Space on the disk for people: level, free bytes, whether the ballast lies there.
    var disk: (level: DiskLevel, freeBytes: Int64, holdsBallast: Bool) {
        diskWatch.withLock { ($0.level, $0.freeBytes, $0.holdsBallast) }
    }

    private func watchDisk() {
        // Swift 6.0.3 dies over a labelled tuple taken apart straight from `withLock`.
        let (level, isNew) = diskWatch.withLock { watch in
            let seen = watch.look()
            return (seen.level, seen.isNew)
        }
        guard isNew || level >= .tight else { return }
        if isNew {
            log.warning("space on the disk", .init("level", .string(level.word)))
        }
        desk.post { [self] in post.make(room: level) }
    }

    /// A young certificate is left alone; the old one stands until the new one has proved itself.
    private func renewCertificate() {
        guard let link, let renewal, renewal.isDue(at: WallTime(milliseconds: Moment.wallMilliseconds())) else {
            return
        }
        renewal.renew(over: link) { [log] result in
            switch result {
            case .success: log.notice("certificate renewed")
            case .failure(let error):
                log.error("the certificate could not be renewed", .init("hint", .string(error.hint)))
            }
        }
    }

    /// Tries everything that waits, now.
    func flush() {
        desk.post { [self] in
            syncRunner?.lineUp(now: moment())
            syncRunner?.run(now: moment())
            logRunner?.hurry(now: moment())
            logRunner?.run(now: moment())
            noteSyncDue()
            post.takeLateTurn()
        }
    }

    /// Asks for a new certificate whatever the old one's age.
    ///
    /// - Returns: false without a line; `done` is not called then.
    func rotateCertificate(_ done: @escaping @Sendable (Result<Void, EnrolmentError>) -> Void) -> Bool {
        guard let link, let renewal, line.isUp else { return false }
        renewal.renew(over: link, done: done)
        return true
    }

    /// This device's id, 32 hexadecimal digits; empty before it has keys.
    var deviceHex: String {
        let folder = IdentityFolder(path: configuration.identityFolder)
        return (try? folder.deviceID()).map { Hex.text($0) } ?? ""
    }

    /// Nil before enrolment.
    var certificateSecondsLeft: Int64? {
        guard let certificate = try? IdentityFolder(path: configuration.identityFolder).certificate(),
            let last = try? certificate.notAfterSeconds
        else { return nil }
        return last - Moment.wallMilliseconds() / 1000
    }

    private func noteSyncDue() {
        let log = line.isUp ? logRunner?.dueMilliseconds : nil
        syncDue.store(min(syncRunner?.dueMilliseconds ?? .max, log ?? .max), ordering: .relaxed)
    }

    /// On the book's desk.
    func entriesMade() {
        syncRunner?.committed(now: moment())
        noteSyncDue()
        refreshVocabulary()
    }

    func syncReport() -> JSONValue {
        guard let report = try? syncRunner?.report(now: moment()), let members = report.members else { return .null }
        return .object(members + ((try? logRunner?.report())?.members ?? []))
    }

    private func told(_ event: SyncEvent) {
        switch event {
        case .sent(let id, let first, let last, let bytes):
            log.info(
                "batch sent", .init("batch", .string(id.description)), .init("first", .integer(first)),
                .init("last", .integer(last)), .init("bytes", .integer(Int64(bytes))))
        case .receipted(let id, let receipt, let milliseconds):
            clockTrust.attest(server: receipt.server, boot: Moment.bootMilliseconds())
            note(receipt, of: id, milliseconds: milliseconds)
        case .confirmed(let id, let receipt, let milliseconds):
            // A receipt of an earlier day, given again: it says nothing about now.
            note(receipt, of: id, milliseconds: milliseconds)
        case .failed(let failure, let retry):
            log.warning(
                "sync failed; it is tried again", .init("why", .string("\(failure)")),
                .init("retry_ms", .integer(retry)))
            if failure == .identity(code: "ledger_key") { presentKeys() }
        case .parked(let seq):
            log.error("the gateway refuses an entry; sync waits before it", .init("seq", .integer(seq)))
        case .serverRollback(let next, let receipted):
            log.error(
                "the gateway lost entries it had receipted; they are sent again", .init("next", .integer(next)),
                .init("receipted", .integer(receipted)))
        case .stopped(let reason):
            log.error("sync has stopped for good; call the operator", .init("why", .string("\(reason)")))
        case .bookFailed(let error): log.error("sync could not read the book", .init("why", .string("\(error)")))
        }
    }

    /// The gateway knows an earlier ledger key of this device: it lost days of its store. It is shown the way to ours.
    private func presentKeys() {
        let folder = IdentityFolder(path: configuration.identityFolder)
        guard let link, let handovers = try? folder.handovers(), !handovers.isEmpty else {
            log.error("the gateway has another ledger key of this device: run 'execorad rotate-key' to its end")
            return
        }
        KeyChange.present(handovers, over: link) { [self] result in
            switch result {
            case .success:
                log.notice("the gateway has taken this device's ledger key again")
                flush()
            case .failure(let error):
                log.error("the gateway does not take this device's ledger key", .init("why", .string(error.code)))
            }
        }
    }

    private func told(_ event: ShopLogEvent) {
        switch event {
        case .taken(let through, let entries, let own):
            log.info(
                "the shop's log was read", .init("through", .integer(through)),
                .init("entries", .integer(Int64(entries))), .init("own", .integer(Int64(own))))
            if own > 0 { entriesMade() } else { refreshVocabulary() }
        case .refused(let words):
            log.warning(
                "the shop's log asked for what this book cannot do",
                .init("why", .string(words.prefix(8).joined(separator: "; "))))
        case .stopped(let why):
            log.error("an entry of the shop's log cannot be taken; it waits", .init("why", .string(why)))
        case .startedAnew:
            log.warning("the gateway has another log of the shop: it lost days; the log is read from its beginning")
        case .failed(let why, let retry):
            log.warning(
                "the shop's log could not be read; it is tried again", .init("why", .string(why)),
                .init("retry_ms", .integer(retry)))
        }
    }

    private func note(_ receipt: Receipt, of batch: ULID, milliseconds: Int64) {
        log.info(
            "receipt", .init("batch", .string(batch.description)), .init("through", .integer(receipt.throughSeq)),
            .init("no", .integer(receipt.number)), .init("ms", .integer(milliseconds)))
        receiptClock.withLock { $0 = (receipt.server.rawValue, Moment.wallMilliseconds()) }
        let line: JSONValue = [
            "batch": .string(batch.description), "receipt_no": .integer(receipt.number),
            "epoch": .integer(receipt.epoch), "through_seq": .integer(receipt.throughSeq),
            "head": .string(Hex.text(receipt.headHash)), "server_ms": .integer(receipt.server.rawValue),
        ]
        for watcher in receiptWatchers.withLock({ $0 }) { watcher(line) }
    }

    func watchReceipts(_ watcher: @escaping @Sendable (JSONValue) -> Void) {
        receiptWatchers.withLock { $0.append(watcher) }
    }

    /// Names and products, for recognition. On the desk.
    private func refreshVocabulary() {
        clerk.withBookNow { book in
            guard let customers = try? book.customers(), let products = try? book.products() else { return }
            let names = customers.flatMap { [$0.details.name, $0.details.nickname].compactMap { $0 } }
            let wares = products.flatMap { [$0.details.name] + $0.details.aliases }
            let spoken = (try? book.shop().language) ?? "hi-en"
            language.withLock { $0 = spoken }
            post.know(
                vocabulary: Array((names + wares).prefix(TurnHello.vocabularyMax)), people: names.count,
                language: spoken)
        }
    }

    func moment() -> SyncMoment {
        SyncMoment(
            monotonicMilliseconds: Moment.bootMilliseconds(), wall: WallTime(milliseconds: Moment.wallMilliseconds()),
            wallQuality: clockTrust.quality)
    }

    static func words(_ error: BookError) -> String {
        switch error {
        case .full: "the disk is full; make space, nothing is lost"
        case .damaged(let what): "it is damaged (\(what)); keep the file and run 'execoractl ledger doctor'"
        case .unavailable(let what): what
        case .storage(let code, let operation): "\(operation) failed with SQLite code \(code); check the disk"
        case .refused(let why): "\(why)"
        }
    }
}

extension Ear.Settings {
    init(_ configuration: ApplianceConfiguration) {
        var endpointing =
            switch configuration.hangover {
            case .quick: EndpointProfile.quick
            case .normal: EndpointProfile.normal
            case .dictation: EndpointProfile.dictation
            }
        endpointing.noSpeechMilliseconds = configuration.noSpeechMilliseconds
        var answering = EndpointProfile.followUp
        answering.noSpeechMilliseconds = configuration.followUpMilliseconds
        self.init(
            preRollSamples: UInt64(configuration.preRollMilliseconds) * 16, endpointing: endpointing,
            answering: answering, tailSamples: UInt64(configuration.playbackTailMilliseconds) * 16,
            hasTone: configuration.hasEarcons, bargesIn: configuration.echo != .halfDuplex,
            hearsWakeWord: configuration.wakeModel != ApplianceConfiguration.noModel)
    }
}
