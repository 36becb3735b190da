import AudioIO
import Conversation
import Ledger
import Synchronization

/// Says answers aloud, one after the other: text becomes sound on the voice's own desk, sound leaves by the speaker.
/// Half-duplex: the ear is told before the first sound and after the last one has died away in the room.
final class Mouth: Sendable {
    /// Answers waiting to be spoken; a person cannot follow more. A further one is dropped and its turn ended.
    static let waitingMax = 8

    private let desk: Desk
    private let voice: Voice
    private let speaker: Speaker
    private let register: TurnRegister
    private let log: EventLog
    private let hasEarcons: Bool
    /// (is speaking, opens the ear): told on the voice's desk or the playback thread.
    private let ear: @Sendable (Bool, Bool) -> Void
    private let pending = Atomic<Int>(0)

    init(
        desk: Desk, voice: Voice, speaker: Speaker, register: TurnRegister, log: EventLog, hasEarcons: Bool,
        ear: @escaping @Sendable (Bool, Bool) -> Void
    ) {
        self.desk = desk
        self.voice = voice
        self.speaker = speaker
        self.register = register
        self.log = log
        self.hasEarcons = hasEarcons
        self.ear = ear
    }

    var isSpeaking: Bool { pending.load(ordering: .acquiring) > 0 }
}
