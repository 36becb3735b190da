import AudioIO
import Conversation
import Ledger
import Synchronization

/// Says answers aloud, one after the other: text becomes sound on the voice's own desk, sound leaves by the speaker.
/// Half-duplex: the ear is told before the first sound, and again when the last one is over.
final class Mouth: Sendable {
    /// Answers waiting to be spoken; a person cannot follow more. A further one is not spoken and its turn ends.
    static let waitingMax = 8

    /// What the mouth asks of the house. Voice's desk or playback thread; none of these may block.
    struct Doors: Sendable {
        var ear: @Sendable (Ear.Order) -> Void
        var lamp: @Sendable (Lamp.Show) -> Void
        /// The shop's language, for what is said when the voice fails.
        var language: @Sendable () -> String
    }

    private let desk: Desk
    private let voice: Voice
    private let recorded: RecordedPrompts
    private let speaker: Speaker
    private let register: TurnRegister
    private let log: EventLog
    private let hasEarcons: Bool
    private let doors: Doors
    /// Answers being made or spoken.
    private let pending = Atomic<Int>(0)

    init(
        desk: Desk, voice: Voice, recorded: RecordedPrompts, speaker: Speaker, register: TurnRegister, log: EventLog,
        hasEarcons: Bool,
        doors: Doors
    ) {
        self.desk = desk
        self.voice = voice
        self.recorded = recorded
        self.speaker = speaker
        self.register = register
        self.log = log
        self.hasEarcons = hasEarcons
        self.doors = doors
    }

    /// From the moment an answer is to be spoken until the ear is open again.
    var isSpeaking: Bool { pending.load(ordering: .acquiring) > 0 }

    /// A signal without words; it does not close the ear.
    func sound(_ earcon: Earcon) {
        guard hasEarcons else { return }
        speaker.play(SoundClip(samples: earcon.samples()))
    }

    /// Silence now: somebody speaks over the answer, or pressed the button. Answers that wait are not spoken.
    func interrupt() { speaker.interrupt() }

    /// Says a turn's answer, finishes its trace, then opens the ear where an answer is awaited.
    func say(_ turn: ULID, _ answer: Answer) {
        pending.wrappingAdd(1, ordering: .acquiringAndReleasing)
        guard desk.post({ [self] in speak(turn, answer) }) else {
            log.error("the voice's desk is full; an answer was not spoken", .init("turn", .string(turn.description)))
            over(turn, opensEar: false)
            return
        }
    }

    private func speak(_ turn: ULID, _ answer: Answer) {
        guard !answer.spoken.isEmpty else {
            over(turn, opensEar: answer.opensEar)
            return
        }
        let (words, isWhole) = words(of: answer)
        var samples: [Int16] = []
        if hasEarcons, answer.earcon == .failure {
            samples = Earcon.error.samples() + [Int16](repeating: 0, count: 1_600)
        }
        samples += words
        // A question that nobody heard must not be answered by whatever is said next.
        let opensEar = answer.opensEar && isWhole
        doors.ear(.speaking(true))
        doors.lamp(.speaking)
        let taken = speaker.play(
            SoundClip(
                samples: samples, onStart: { [register] time in register.update(turn) { $0.firstSoundAt = time } },
                onEnd: { [self] _ in
                    doors.ear(.speaking(false))
                    over(turn, opensEar: opensEar)
                }))
        if !taken {
            log.error("the speaker is full; an answer was not spoken", .init("turn", .string(turn.description)))
            doors.ear(.speaking(false))
            over(turn, opensEar: false)
        }
    }

    /// Recorded beforehand, else said by the voice program; where that fails, what was recorded for this case, else a
    /// tone.
    ///
    /// - Returns: the sound, and whether it is the answer itself.
    private func words(of answer: Answer) -> (samples: [Int16], isWhole: Bool) {
        let text = voice.readable(answer.spoken)
        if let samples = recording(of: text) { return (samples, true) }
        do throws(Voice.Failure) { return (try voice.samples(saying: text), true) } catch {
            log.error("the voice failed; is espeak-ng installed?", .init("why", .string("\(error)")))
        }
        let isWritten = !answer.committed.isEmpty
        let instead = (isWritten ? Voiceless.written : .notSaid).text(language: doors.language())
        return (
            recording(of: voice.readable(instead)) ?? (isWritten ? Earcon.done : Earcon.error).samples(), false
        )
    }

    private func recording(of text: String) -> [Int16]? {
        do throws(RecordedPrompts.Fault) { return try recorded.samples(of: text, by: voice) } catch {
            log.error(
                "the recorded prompts cannot be used; run 'execorad record-prompts'", .init("why", .string("\(error)")))
            return nil
        }
    }

    private func over(_ turn: ULID, opensEar: Bool) {
        if opensEar { doors.ear(.expectAnswer) }
        doors.lamp(.dark)
        register.finish(turn)
        pending.wrappingSubtract(1, ordering: .acquiringAndReleasing)
    }
}
