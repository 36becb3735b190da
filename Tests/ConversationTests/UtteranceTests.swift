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
        let reply = TurnReply(turn: turn, verdict: .heard, transcripts: transcripts, milliseconds: 2)
        return Utterance(reply, isLate: false)
    }

    @Test func `the first transcript speaks, the others have a vote`() {
        let told = utterance([("Yes, confirm.", 742), ("yes confirm", 466)])
        #expect(told.text == "Yes, confirm.")
        #expect(told.confidenceMilli == 742)
        #expect(told.alternatives.map(\.text) == ["yes confirm"])
        #expect(told.origin == .heard && told.voter == told.alternatives[0].voter)
        #expect(told.turn == ULID(high: 1, low: 2))
    }

    @Test func `nothing heard is an empty utterance without confidence`() {
        let told = utterance([])
        #expect(told.text.isEmpty && told.confidenceMilli == 0 && told.alternatives.isEmpty)
    }
}
