extension Utterance {
    /// What the gateway heard of a turn, as one utterance: the surest transcript first, the others as alternatives.
    ///
    /// A speech engine's confidence is a mean over tokens, and two words have few: a clear "yes, confirm" comes with
    /// 600 of 1000. Where two passes wrote the same words they are two opinions, and their doubts multiply.
    /// A reply without transcripts gives an empty utterance of no confidence.
    public init(_ reply: TurnReply, isLate: Bool) {
        let best = reply.transcripts.first
        let words = best.map { Self.words($0.text) } ?? []
        let agreeing = reply.transcripts.filter { !words.isEmpty && Self.words($0.text) == words }
        let doubt = agreeing.reduce(Int64(1000)) { $0 * (1000 - $1.confidenceMilli) / 1000 }
        self.init(
            text: best?.text ?? "",
            confidenceMilli: agreeing.count > 1 ? 1000 - doubt : best?.confidenceMilli ?? 0, turn: reply.turn,
            isLate: isLate, alternatives: reply.transcripts.dropFirst().map(\.text))
    }

    private static func words(_ text: String) -> [String] { Tokens(text).items.map(\.text) }
}
