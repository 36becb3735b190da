import JSONText

extension TurnTrace {
    /// One line of `wake.history`: what woke the box and what came of it. Numbers and codes only.
    var wakeRow: JSONValue {
        [
            "turn": .string(turn.description), "model": JSONValue(wake?.model), "score": JSONValue(wake?.scoreMilli),
            "cutoff": JSONValue(wake?.cutoffMilli), "ended_by": .string(endReason), "verdict": .string(verdict),
            "intent": JSONValue(intent), "gate": .string(gate), "entries": .integer(Int64(entries.count)),
        ]
    }
}
