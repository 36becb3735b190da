import AudioIO
import Conversation
import JSONText
import Ledger
import OpusCoding
import Synchronization
import WakeWord

/// Listens: sound from the ring meets the wake models; a turn is opened, cut to its end, encoded and handed on.
///
/// All of it happens on the thread that calls `listen` (the dsp thread, or a rehearsal's). It reads the ring with a
/// cursor of its own, so a slow moment here loses nothing. Orders from other threads wait in a small list until
/// the next look.
final class Ear: @unchecked Sendable {
    // @unchecked: everything but `orders` and the atomics is touched by the listening thread alone.

    enum Order: Equatable, Sendable {
        /// The counter begins (true) or has ended (false) to speak; deaf in between and for the room's tail.
        case speaking(Bool)
        /// A question was asked: the next words are its answer, without a wake word.
        case expectAnswer
        /// Microphone closed: a turn under way is given up.
        case muted
        /// The device is gone: the same, until it is found again.
        case lost
        /// The talk button was pressed: the counter falls silent and listens, with the sound of just before.
        case talk
        /// It was a tap: the turn ends with the words, as one opened by the wake word.
        case leaveOpen
        /// The button was let go after holding: the turn is whole.
        case finish
        /// It was held for so long that, if nothing was said, it was no turn but the technician's sign.
        case finishLong
        /// The wake word's cutoff stands so many thousandths beside the loaded one.
        case shiftCutoff(Int64)
    }

    /// What the ear asks of the house. Called on the listening thread; none of these may block.
    struct Doors: Sendable {
        var begin: @Sendable (OpenedTurn) -> any OutgoingTurn
        /// Nothing was said behind the wake (or the answer did not come).
        var cancelled: @Sendable (ULID, TurnTrace.Opening) -> Void
        var lamp: @Sendable (Lamp.Show) -> Void
        var earcon: @Sendable (Earcon) -> Void
        /// Somebody speaks over the counter: it falls silent.
        var interrupt: @Sendable () -> Void
        /// Whether what woke the ear just now was the counter's own voice; asked only while it speaks.
        var isOwnVoice: @Sendable () -> Bool
        /// The button was held long and nobody spoke.
        var heldInSilence: @Sendable () -> Void = {}
    }

    struct OpenedTurn: Sendable {
        var turn: ULID
        var opening: TurnTrace.Opening
        var wake: TurnHello.Wake?
        var firstSample: UInt64
    }

    struct Settings {
        var preRollSamples: UInt64
        var endpointing: EndpointProfile
        /// The same for the answer to a question: longer to begin.
        var answering: EndpointProfile
        /// Deaf after the counter's own last sound.
        var tailSamples: UInt64
        /// A tone at the wake.
        var hasTone: Bool
        /// Whether the wake word is heard while the counter speaks: only where its own voice is taken out of the sound.
        /// Without that the ear would wake from the loudspeaker, so it is deaf then, and the button alone interrupts.
        var bargesIn = false
        /// False where no wake model is loaded: models then run in turns alone.
        var hearsWakeWord = true
        /// Sound kept from before the button: people speak early.
        var pressPreRollSamples: UInt64 = 4_800
    }

    private struct Turn {
        var id: ULID
        var opening: TurnTrace.Opening
        var outgoing: any OutgoingTurn
        /// Next sample to encode.
        var at: UInt64
        var firstSample: UInt64
        var seq: UInt32 = 0
        var hasGap = false
    }

    static let frameSamples = OpusSpeechEncoder.frameSamples
    /// While the counter speaks a wake must be this much surer, thousandths, and two steps long: what is left of its own
    /// voice is distorted, and distortion now and then resembles anything.
    static let bargeInRaiseMilli: Int64 = 50
    static let bargeInSteps = 2
    /// Own sound that is still to come when the button interrupts: the speaker's buffer.
    static let speakerBufferSamples: UInt64 = 1_280

    private let ring: SampleRing
    private let reader: RingReader
    private let listener: WakeListener
    private let settings: Settings
    private let register: TurnRegister
    private let log: EventLog
    private let doors: Doors
    private let makeID: @Sendable () -> ULID
    private var encoder: OpusSpeechEncoder
    private var endpointer = Endpointer()
    private var turn: Turn?
    private var isSpeaking = false
    /// Nothing before this index is a wake or an answer: it is the counter's own voice.
    private var deafUntil: UInt64 = 0
    /// The counter spoke, and its own voice may still be in what the models remember.
    private var isGuarded = false
    private let frame = UnsafeMutableBufferPointer<Int16>.allocate(capacity: frameSamples)
    private let scratch = UnsafeMutableBufferPointer<Int16>.allocate(capacity: frameSamples)

    private let orders = Mutex<[Order]>([])
    private let openTurns = Atomic<Int>(0)
    /// Absolute index behind the last sample scored. Stands still when the ear is deaf: the watchdog looks at it.
    let scored = Atomic<UInt64>(0)
    let overtakenSamples = Atomic<UInt64>(0)
    /// Thousandths, for the meter.
    let score = Atomic<Int64>(0)
    /// The voice model's mean, thousandths, for the meter.
    let voice = Atomic<Int64>(0)

    init(
        ring: SampleRing, reader: RingReader, listener: WakeListener, encoder: consuming OpusSpeechEncoder,
        settings: Settings, register: TurnRegister, log: EventLog, doors: Doors, makeID: @escaping @Sendable () -> ULID
    ) {
        self.ring = ring
        self.reader = reader
        self.listener = listener
        self.encoder = encoder
        self.settings = settings
        self.register = register
        self.log = log
        self.doors = doors
        self.makeID = makeID
    }

    deinit {
        frame.deallocate()
        scratch.deallocate()
    }

    /// Any thread. Heard at the next look, at most 40 ms later.
    func order(_ order: Order) {
        orders.withLock { $0.append(order) }
    }

    /// True while a turn is being heard. Any thread.
    var isInTurn: Bool { openTurns.load(ordering: .acquiring) > 0 }

    /// Scores and cuts all the sound there is. The listening thread alone.
    func listen() {
        obey()
        while reader.available >= UInt64(Self.frameSamples) {
            switch reader.read(into: frame) {
            case .overtaken(let lost):
                overtakenSamples.wrappingAdd(lost, ordering: .relaxed)
                turn?.hasGap = true
                if turn == nil { endpointer.reset() }
                log.warning("the ear was too slow and lost sound", .init("samples", .integer(Int64(lost))))
            case .samples(let first, let count):
                let samples = UnsafeBufferPointer(rebasing: UnsafeBufferPointer(frame)[..<count])
                let heard = settings.hearsWakeWord || turn != nil ? listener.take(samples, from: first) : nil
                // Fed always, turns open or not: it has to know the room before somebody speaks.
                let end = endpointer.take(samples, from: first, voiceMilli: listener.voiceMilli)
                scored.store(first + UInt64(count), ordering: .relaxed)
                if isGuarded, !isSpeaking, first >= deafUntil { lowerGuard() }
                if let heard, heard.isStop {
                    stop()
                } else if let heard, let current = turn, heard.endSample >= deafUntil || settings.bargesIn {
                    // The wake word begins anew, also where an answer was expected.
                    cancel(current, reason: "wake")
                    wake(heard)
                } else if turn != nil {
                    encode()
                    if let end { finish(end) }
                } else if let heard {
                    wakeWithoutTurn(heard)
                }
            }
        }
        score.store(listener.scoreMilli, ordering: .relaxed)
        voice.store(listener.voiceMilli, ordering: .relaxed)
    }

    private func obey() {
        let told = orders.withLock { orders in
            defer { orders.removeAll(keepingCapacity: true) }
            return orders
        }
        for order in told {
            switch order {
            case .speaking(let now):
                isSpeaking = now
                isGuarded = true
                if now, let turn, turn.opening == .followUp { cancel(turn, reason: "own-voice") }
                if !now { deafUntil = ring.end + settings.tailSamples }
                arm()
            case .expectAnswer: openForAnswer()
            case .muted: giveUp(reason: "muted")
            case .lost: giveUp(reason: "lost")
            case .talk: talk()
            case .leaveOpen: if turn?.opening == .button { endpointer.change(to: settings.endpointing) }
            case .finish: finishByButton()
            case .finishLong: finishLong()
            case .shiftCutoff(let milli): listener.cutoffShiftMilli = milli
            }
        }
    }

    private func giveUp(reason: String) {
        if let turn { cancel(turn, reason: reason) }
        listener.reset()
        endpointer.reset()
    }

    /// What the listener may hear now.
    private func arm() {
        listener.isArmed = (!isSpeaking || settings.bargesIn) && (turn == nil || turn?.opening == .followUp)
        listener.isStopArmed = !isSpeaking || settings.bargesIn
        if isSpeaking, settings.bargesIn {
            listener.cutoffRaiseMilli = Self.bargeInRaiseMilli
            listener.stepsOverNeeded = Self.bargeInSteps
        }
    }

    private func lowerGuard() {
        isGuarded = false
        // A wake word in its own last words is answered by the model up to a quarter of a second later: by now.
        if !settings.bargesIn { listener.forgetWindows() }
        listener.cutoffRaiseMilli = 0
        listener.stepsOverNeeded = 1
    }

    private func wakeWithoutTurn(_ heard: WakeListener.Wake) {
        if settings.bargesIn, isSpeaking || heard.endSample < deafUntil {
            guard !doors.isOwnVoice() else {
                log.info("its own voice woke the ear; passed over", .init("score", .integer(heard.scoreMilli)))
                return
            }
            if isSpeaking { doors.interrupt() }
            wake(heard)
        } else if !isSpeaking, heard.endSample >= deafUntil {
            wake(heard)
        }
    }

    /// The stop word: silence, and nothing of what was begun.
    private func stop() {
        if isSpeaking {
            guard !doors.isOwnVoice() else { return }
            doors.interrupt()
        }
        if let turn { cancel(turn, reason: "stop") }
    }

    private func talk() {
        if let turn {
            // A turn that the wake word opened goes on; one that waits for an answer makes room.
            guard turn.opening == .followUp else { return }
            cancel(turn, reason: "button")
        }
        let now = reader.at
        guard isSpeaking else {
            let wanted = now - min(now, settings.pressPreRollSamples)
            let from = max(wanted, ring.oldest, min(deafUntil, now))
            open(.button, wake: nil, from: from, speechFrom: from, profile: .held)
            return
        }
        doors.interrupt()
        open(.button, wake: nil, from: now, speechFrom: now, profile: .held)
        // What still comes out of the speaker, and the room's answer to it, is not the shopkeeper.
        endpointer.mask(now..<now + Self.speakerBufferSamples + settings.tailSamples)
    }

    private func finishLong() {
        // Words are words, however long the button was down. A closed microphone has no turn, and the sign still counts.
        if let turn {
            guard turn.opening == .button, endpointer.speechStart == nil else { return finishByButton() }
            cancel(turn, reason: "held")
        }
        doors.heldInSilence()
    }

    private func finishByButton() {
        guard let turn, turn.opening == .button else { return }
        encode()
        // Who holds a button down means to be heard, also where no frame was loud.
        let end = reader.at
        finish(
            Endpoint(
                reason: .button, speechStart: endpointer.speechStart ?? turn.firstSample, speechEnd: end,
                endSample: end))
    }

    private func wake(_ wake: WakeListener.Wake) {
        let wanted = wake.startSample > settings.preRollSamples ? wake.startSample - settings.preRollSamples : 0
        let told = TurnHello.Wake(
            model: wake.model, scoreMilli: wake.scoreMilli, cutoffMilli: wake.cutoffMilli,
            startSampleIndex: wake.startSample, endSampleIndex: wake.endSample)
        // Never the counter's own words, never what the ring no longer has.
        open(
            .wake, wake: told, from: max(wanted, ring.oldest, deafUntil), speechFrom: wake.endSample,
            profile: settings.endpointing)
        guard settings.hasTone else { return }
        doors.earcon(.wake)
        // The tone is known: it is neither speech nor silence. 100 ms until it sounds, its length, the room.
        let now = reader.at
        endpointer.mask(now..<now + UInt64(Earcon.samplesMax) + 16 * 200)
    }

    private func openForAnswer() {
        guard turn == nil, !isSpeaking else { return }
        let from = max(reader.at, deafUntil)
        open(.followUp, wake: nil, from: from, speechFrom: from, profile: settings.answering)
    }

    private func open(
        _ opening: TurnTrace.Opening, wake: TurnHello.Wake?, from first: UInt64, speechFrom: UInt64,
        profile: EndpointProfile
    ) {
        let id = makeID()
        var trace = TurnTrace(turn: id, opening: opening)
        trace.wake = wake.map { ($0.model, $0.scoreMilli, $0.cutoffMilli) }
        trace.wakeEndSample = wake?.endSampleIndex ?? first
        trace.firstSample = first
        trace.startedAt = Moment.monotonicMilliseconds()
        if let wake, case let origin = ring.originNanoseconds.load(ordering: .acquiring), origin > 0 {
            let inTheAir = origin + Int64(wake.endSampleIndex) * 62_500
            trace.wakeToOpenMilliseconds = trace.startedAt - inTheAir / 1_000_000
        }
        register.open(trace)
        log.info(
            "turn opened", .init("turn", .string(id.description)), .init("opening", .string(opening.rawValue)),
            .init("score", JSONValue(wake?.scoreMilli)))
        let outgoing = doors.begin(OpenedTurn(turn: id, opening: opening, wake: wake, firstSample: first))
        encoder.reset()
        turn = Turn(id: id, opening: opening, outgoing: outgoing, at: first, firstSample: first)
        openTurns.store(1, ordering: .releasing)
        arm()
        doors.lamp(.listening)
        encode()
        if let end = endpointer.open(profile, at: speechFrom) { finish(end) }
    }

    /// Encodes every whole frame of the turn up to where the listener stands.
    private func encode() {
        while var current = turn, current.at + UInt64(Self.frameSamples) <= reader.at {
            switch ring.copy(from: current.at, into: scratch) {
            case .overtaken(let oldest):
                current.hasGap = true
                current.at = oldest
                turn = current
                continue
            case .samples(let count):
                guard count == Self.frameSamples else { return }
            }
            do {
                let packet = try encoder.encode(UnsafeBufferPointer(scratch))
                current.outgoing.send(
                    TurnFraming.Record(
                        seq: current.seq, sampleOffset: UInt32(truncatingIfNeeded: current.at - current.firstSample),
                        flags: current.hasGap ? .gap : [], packet: packet))
                current.seq += 1
                current.hasGap = false
            } catch {
                log.error("a frame could not be encoded", .init("error", .string("\(error)")))
            }
            current.at += UInt64(Self.frameSamples)
            turn = current
        }
    }

    private func finish(_ end: Endpoint) {
        guard let current = turn else { return }
        guard let speechStart = end.speechStart, let speechEnd = end.speechEnd else {
            cancel(current, reason: end.reason.rawValue)
            return
        }
        let now = Moment.monotonicMilliseconds()
        log.info(
            "turn ended", .init("turn", .string(current.id.description)), .init("reason", .string(end.reason.rawValue)))
        // The capture clock: how long ago a sample was taken, counted back from the newest.
        let newest = ring.end
        register.update(current.id) { trace in
            trace.speechStartSample = speechStart
            trace.speechEndSample = speechEnd
            trace.endReason = end.reason.rawValue
            trace.speechEndedAt = now - Int64(newest > speechEnd ? (newest - speechEnd) / 16 : 0)
            trace.endpointAt = now
            trace.packets = Int64(current.seq)
        }
        current.outgoing.send(
            TurnFraming.Record(
                seq: current.seq, sampleOffset: UInt32(truncatingIfNeeded: current.at - current.firstSample),
                flags: .end, packet: []))
        close()
        doors.lamp(.thinking)
    }

    private func cancel(_ current: Turn, reason: String) {
        log.info("turn cancelled", .init("turn", .string(current.id.description)), .init("reason", .string(reason)))
        current.outgoing.cancel()
        close()
        doors.lamp(.dark)
        doors.cancelled(current.id, current.opening)
    }

    private func close() {
        turn = nil
        endpointer.close()
        openTurns.store(0, ordering: .releasing)
        arm()
    }
}

/// Where the records of a turn go as they are made. The listening thread alone.
protocol OutgoingTurn: AnyObject, Sendable {
    /// The last record carries the `end` flag.
    func send(_ record: TurnFraming.Record)
    /// Nothing is to be recognised.
    func cancel()
}
