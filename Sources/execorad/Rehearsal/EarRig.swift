import AudioIO
import Conversation
import Glibc
import Ledger
import OpusCoding
import Synchronization
import WakeWord

/// The ear alone, with its real models, echo stage and encoder, fed by hand faster than time: what it opens and sends is
/// counted, not sent. For rehearsals that need no book and no line. One thread.
final class EarRig {
    /// What the ear did.
    struct Counts: Equatable {
        var opened = 0
        var wakes = 0
        /// Turns that reached their end: they would have been sent to be recognised.
        var entered = 0
        var cancelled = 0
        var packets = 0
        var interruptions = 0
    }

    private final class Sink: OutgoingTurn {
        private let turn: ULID
        private let tally: Tally
        private let register: TurnRegister

        init(_ turn: ULID, _ tally: Tally, _ register: TurnRegister) {
            self.turn = turn
            self.tally = tally
            self.register = register
        }

        func send(_ record: TurnFraming.Record) {
            tally.state.withLock { counts in
                counts.packets += 1
                if record.flags == .end { counts.entered += 1 }
            }
            // Answered at once: the trace goes into the history, as it does behind an answer.
            if record.flags == .end { register.finish(turn) }
        }
        func cancel() {}
    }

    private final class Tally: Sendable {
        let state = Mutex(Counts())
        let ids = Atomic<UInt64>(0)
    }

    let ring = SampleRing()
    let ear: Ear
    let reference: EchoReference?
    let stage: EchoStage?
    let register = TurnRegister()
    private let tally = Tally()
    var counts: Counts { tally.state.withLock { $0 } }

    init(_ configuration: ApplianceConfiguration, log: EventLog) throws(House.Fault) {
        let shelf = ModelShelf(folder: configuration.modelsFolder)
        var wake: WakeModel
        var stop: WakeModel?
        let voice: WakeModel
        let encoder: OpusSpeechEncoder
        do {
            wake = try shelf.model(configuration.wakeModel)
            if !configuration.stopModel.isEmpty { stop = try shelf.model(configuration.stopModel) }
            voice = try shelf.model("vad")
            encoder = try .open()
        } catch { throw House.Fault(line: "\(error)", exitCode: 2) }
        if configuration.wakeCutoffMilli > 0 { wake.cutoff = Float(configuration.wakeCutoffMilli) / 1000 }
        guard let reader = ring.reader() else { preconditionFailure("a new ring has a place for its first reader") }
        reference = configuration.echo == .speex ? EchoReference(microphone: ring) : nil
        let stage = reference.map { EchoStage(reader: reader, reference: $0) }
        self.stage = stage
        let earRing = stage?.clean ?? ring
        guard let earReader = stage == nil ? reader : earRing.reader() else {
            preconditionFailure("a new ring has a place for its first reader")
        }
        let (tally, register) = (tally, register)
        let match: @Sendable () -> Bool
        if let stage {
            let box = Unchecked(stage)
            match = { box.stage.isOwnVoice }
        } else {
            match = { false }
        }
        ear = Ear(
            ring: earRing, reader: earReader,
            listener: WakeListener(wake: [wake], voice: voice, stop: stop, isQuick: configuration.isWakeQuick),
            encoder: encoder, settings: Ear.Settings(configuration), register: register, log: log,
            doors: .init(
                begin: { opened in
                    tally.state.withLock { counts in
                        counts.opened += 1
                        if opened.opening == .wake { counts.wakes += 1 }
                    }
                    return Sink(opened.turn, tally, register)
                },
                cancelled: { turn, _ in
                    register.drop(turn)
                    tally.state.withLock { $0.cancelled += 1 }
                }, lamp: { _ in }, earcon: { _ in },
                interrupt: { tally.state.withLock { $0.interruptions += 1 } }, isOwnVoice: match),
            makeID: { ULID(high: 0, low: tally.ids.wrappingAdd(1, ordering: .relaxed).newValue) })
    }

    /// The stage is touched by the one thread that drives the rig; the ear's doors are declared for any.
    private final class Unchecked: @unchecked Sendable {
        // @unchecked: read on the rig's own thread alone.
        let stage: EchoStage
        init(_ stage: EchoStage) { self.stage = stage }
    }

    /// Adds sound to the microphone's ring, 20 ms at a time, and lets the ear hear it.
    func hear(_ samples: UnsafeBufferPointer<Int16>) {
        var at = 0
        while at < samples.count {
            let count = min(Ear.frameSamples, samples.count - at)
            ring.append(UnsafeBufferPointer(rebasing: samples[at..<at + count]))
            listen()
            at += count
        }
    }

    func hear(_ samples: [Int16]) { samples.withUnsafeBufferPointer { hear($0) } }

    func listen() {
        stage?.work()
        ear.listen()
    }
}
