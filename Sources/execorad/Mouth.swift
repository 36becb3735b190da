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
    }

    private let desk: Desk
    private let voice: Voice
    private let speaker: Speaker
    private let register: TurnRegister
    private let log: EventLog
    private let hasEarcons: Bool
    private let doors: Doors
    /// Answers being made or spoken.
    private let pending = Atomic<Int>(0)

    init(
        desk: Desk, voice: Voice, speaker: Speaker, register: TurnRegister, log: EventLog, hasEarcons: Bool,
        doors: Doors
    ) {
        self.desk = desk
        self.voice = voice
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
            over(turn, answer)
            return
        }
    }

    private func speak(_ turn: ULID, _ answer: Answer) {
        guard !answer.spoken.isEmpty else {
            over(turn, answer)
            return
        }
        var samples: [Int16] = []
        if hasEarcons, answer.earcon == .failure {
            samples = Earcon.error.samples() + [Int16](repeating: 0, count: 1_600)
        }
        do throws(Voice.Failure) { samples += try voice.samples(saying: Self.readable(answer.spoken, by: voice)) } catch
        {
            log.error("the voice failed; is espeak-ng installed?", .init("why", .string("\(error)")))
            if samples.isEmpty { samples = Earcon.error.samples() }
        }
        doors.ear(.speaking(true))
        doors.lamp(.speaking)
        let taken = speaker.play(
            SoundClip(
                samples: samples, onStart: { [register] time in register.update(turn) { $0.firstSoundAt = time } },
                onEnd: { [self] _ in
                    doors.ear(.speaking(false))
                    over(turn, answer)
                }))
        if !taken {
            log.error("the speaker is full; an answer was not spoken", .init("turn", .string(turn.description)))
            doors.ear(.speaking(false))
            over(turn, answer)
        }
    }

    /// A Hindi voice reads Roman letters as English; in Devanagari the same words sound as they are meant.
    private static func readable(_ text: String, by voice: Voice) -> String {
        voice.name.hasPrefix("hi") ? Transliteration.devanagari(text) : text
    }

    private func over(_ turn: ULID, _ answer: Answer) {
        if answer.opensEar { doors.ear(.expectAnswer) }
        doors.lamp(.dark)
        register.finish(turn)
        pending.wrappingSubtract(1, ordering: .acquiringAndReleasing)
    }
}
