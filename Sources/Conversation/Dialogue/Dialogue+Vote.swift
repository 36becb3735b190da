import Ledger

// Several transcripts of one sound: each is read by the same grammar and has a vote. One engine's word never moves money
// or stock silently: two readings agree, or the shopkeeper says yes.
extension Dialogue {
    /// The reading that is acted on. It has to be asked about when it would write, and
    /// - another voter understood something else, or a negation, question or condition, or
    /// - it was heard, not written, and no second voter read the same.
    func vote(_ ballots: [Interpretation], _ origin: Utterance.Origin, _ turn: Turn) -> Interpretation {
        var best = ballots[0]
        for other in ballots.dropFirst() where isBetter(other, than: best) { best = other }
        guard isWriting(best.request) else { return best }
        let same = ballots.count { isSame($0.request, best.request, turn) }
        let isContested = ballots.contains {
            isUnderstood($0) && !isSame($0.request, best.request, turn) || $0.isBlocked
        }
        if isContested || same < Self.needed(origin) { best.request.mustAsk = true }
        return best
    }

    /// Readings that have to agree before something is written without a question.
    private static func needed(_ origin: Utterance.Origin) -> Int { origin == .heard ? 2 : 1 }

    /// Whether enough voters heard just these commands in this breath, and none heard others.
    func isAgreed(
        _ requests: [Request], among others: [[Request]], _ origin: Utterance.Origin, _ turn: Turn
    ) -> Bool {
        let same = others.count { other in
            other.count == requests.count && zip(other, requests).allSatisfy { isSame($0, $1, turn) }
        }
        let isContested = others.contains { other in
            other.contains(where: isWriting)
                && !(other.count == requests.count && zip(other, requests).allSatisfy { isSame($0, $1, turn) })
        }
        return same >= Self.needed(origin) && !isContested
    }

    /// One reading a voter: the first of its transcripts that says something, or its first.
    func ballots(_ utterance: Utterance, _ interpreter: Interpreter) -> [Interpretation] {
        var voters = [utterance.voter]
        var out = [interpreter.interpret(utterance.text)]
        for alternative in utterance.alternatives {
            let heard = interpreter.interpret(alternative.text)
            guard let place = voters.firstIndex(of: alternative.voter) else {
                voters.append(alternative.voter)
                out.append(heard)
                continue
            }
            // A second thought speaks where the first said nothing; a doubt in either stays a doubt.
            let isBlocked = out[place].isBlocked || heard.isBlocked
            if !isUnderstood(out[place]), isUnderstood(heard) { out[place] = heard }
            out[place].isBlocked = isBlocked
        }
        return out
    }

    private func isUnderstood(_ heard: Interpretation) -> Bool { heard.rule != nil || heard.isYes || heard.isNo }

    /// A transcript that says something beats one that says nothing; a no beats a yes; else the surer one.
    private func isBetter(_ other: Interpretation, than best: Interpretation) -> Bool {
        guard isUnderstood(other) == isUnderstood(best) else { return isUnderstood(other) }
        if other.isNo != best.isNo, other.isYes || best.isYes { return other.isNo }
        return other.confidenceMilli > best.confidenceMilli
    }

    func isPosting(_ request: Request) -> Bool {
        Request.postings.contains(request.intent)
    }

    /// What writes without a further question: postings, and a bill that is sent in the same breath.
    private func isWriting(_ request: Request) -> Bool {
        isPosting(request) || request.intent == "CREATE_INVOICE" && request.autoSend
    }

    private func isSame(_ left: Request, _ right: Request, _ turn: Turn) -> Bool {
        func who(_ request: Request) -> NameMatcher.Answer? {
            request.spokenName.map { turn.shelf.matcher.resolve($0) }
        }
        return left.intent == right.intent && left.amount == right.amount && left.splits == right.splits
            && left.mode == right.mode && left.product == right.product && left.quantity == right.quantity
            && left.unit == right.unit && left.autoSend == right.autoSend && isSame(left.items, right.items)
            && isSame(who(left), who(right))
    }

    /// The same goods in the same measure, whatever each transcript spelt.
    private func isSame(_ left: [Request.Item], _ right: [Request.Item]) -> Bool {
        left.count == right.count
            && zip(left, right).allSatisfy {
                $0.product == $1.product && ($0.product != nil || $0.spoken == $1.spoken)
                    && $0.quantity == $1.quantity && $0.unit == $1.unit && $0.price == $1.price
            }
    }

    /// The same person, however well each spelling fits.
    private func isSame(_ left: NameMatcher.Answer?, _ right: NameMatcher.Answer?) -> Bool {
        if case .one(let one)? = left, case .one(let other)? = right { return one.index == other.index }
        return left == right
    }
}
