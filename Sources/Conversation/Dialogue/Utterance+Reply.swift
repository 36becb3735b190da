extension Utterance {
    /// What the gateway heard of a turn, as one utterance: the surest transcript first, the others as alternatives that
    /// have a vote. A reply without transcripts gives an empty utterance of no confidence.
    public init(_ reply: TurnReply, isLate: Bool) {
        let best = reply.transcripts.first
        self.init(
            text: best?.text ?? "", confidenceMilli: best?.confidenceMilli ?? 0, turn: reply.turn, isLate: isLate,
            alternatives: reply.transcripts.dropFirst().map {
                Alternative($0.text, voter: $0.voter, confidenceMilli: $0.confidenceMilli)
            },
            origin: .heard, voter: best?.voter ?? "", opinions: reply.opinions)
    }
}

extension TurnReply.Transcript {
    /// The engine and the language it was told to keep to: what comes out of both the same is one opinion.
    var voter: String { engine + "/" + language }
}
