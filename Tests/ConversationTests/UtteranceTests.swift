import Ledger
import Testing

@testable import Conversation

struct UtteranceTests {
    private func utterance(_ heard: [(String, Int64)]) -> Utterance {
        let transcripts = heard.map {
            TurnReply.Transcript(
                text: $0.0, confidenceMilli: $0.1, language: "en", engine: "e", model: "m", milliseconds: 1)
        }
        let turn = ULID(high: 1, low: 2)
        return Utterance(TurnReply(turn: turn, verdict: .heard, transcripts: transcripts, milliseconds: 2), isLate: false)
    }

    /// Punctuation and case are the engine's, not the speaker's.
    @Test func `two passes with the same words are surer than one`() {
        let told = utterance([("Yes, confirm.", 642), ("yes confirm", 466)])
        #expect(told.text == "Yes, confirm.")
        #expect(told.confidenceMilli == 1000 - 358 * 534 / 1000)
        #expect(told.alternatives == ["yes confirm"])
    }

    @Test func `passes that disagree make nobody surer`() {
        #expect(utterance([("Rahul gave 200", 640), ("Rahul gave 300", 630)]).confidenceMilli == 640)
        #expect(utterance([("Yes.", 500)]).confidenceMilli == 500)
        #expect(utterance([("", 640), ("", 630)]).confidenceMilli == 640)
    }

    @Test func `nothing heard is an empty utterance without confidence`() {
        let told = utterance([])
        #expect(told.text.isEmpty && told.confidenceMilli == 0 && told.alternatives.isEmpty)
    }
}
