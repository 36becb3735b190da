import Ledger

// Several transcripts of one sound: each is read by the same grammar and has a vote. One engine's word never moves money
// or stock silently: two readings agree, or the shopkeeper says yes.
extension Dialogue {
    /// The reading that is acted on. It has to be asked about when it would write or overwrite, and
    /// - another voter understood something else, or a negation, question or condition, or
    /// - it was heard, not written, and no second voter read the same to the letter.
    ///
    /// Language models are one voter between them: with one exact transcript they are two, alone they are nobody.
    func vote(_ ballots: [Ballot], _ utterance: Utterance, _ turn: Turn) -> Interpretation {
        let origin = utterance.origin
        var best = origin == .heard ? cheapest(ballots, turn) : surest(ballots)
        if best.isNo, !best.amounts.isEmpty {
            // "Nahi, teen sau" to a question writes three hundred.
            let same = ballots.count { ballot in
                ballot.hearings.contains { $0.hasVote && $0.heard.isNo && $0.heard.amounts == best.amounts }
            }
            best.isDoubtful = best.isDoubtful || same < Self.needed(origin)
        }
        let isOverwriting = origin == .heard && Self.neverRepaired.contains(best.request.intent)
        guard isWriting(best.request) || isOverwriting else { return best }
        let same = ballots.count { ballot in
            ballot.hearings.contains { $0.hasVote && isSame($0.heard.request, best.request, turn) }
        }
        let isContested = ballots.contains { ballot in
            ballot.isBlocked
                || ballot.hearings.contains {
                    $0.hasVote && isUnderstood($0.heard) && !isSame($0.heard.request, best.request, turn)
                }
        }
        let opinions = utterance.opinions.filter { $0.intent != "UNKNOWN" }
        let agreeing = opinions.count { isSame($0, best.request, turn) }
        let votes = same > 0 && agreeing > 0 ? same + 1 : same
        if isContested || agreeing < opinions.count || votes < Self.needed(origin) {
            if isOverwriting { best.isDoubtful = true } else { best.request.mustAsk = true }
        }
        return best
    }

    /// A model's words name the same deed: what it left out counts as not said, what it cannot say (two modes, a
    /// discount, a bill sent at once) is never the same.
    private func isSame(_ opinion: TurnOpinion, _ request: Request, _ turn: Turn) -> Bool {
        guard opinion.intent == request.intent, request.splits.isEmpty, request.discount == nil, !request.autoSend,
            opinion.amountPaise.map({ Paise($0) }) == request.amount,
            PaymentMode(rawValue: opinion.mode ?? "cash") == request.mode ?? .cash,
            opinion.items.count == request.items.count
        else { return false }
        switch (opinion.customer.map(turn.shelf.matcher.resolve), request.spokenName.map(turn.shelf.matcher.resolve)) {
        case (.one(let one)?, .one(let other)?): if one.index != other.index { return false }
        case (nil, nil): break
        default: return false
        }
        return zip(opinion.items, request.items).allSatisfy { said, item in
            let keys = Grammar.keys(said.product)
            guard !keys.isEmpty, let found = turn.shelf.product(keys, at: 0, upTo: keys.count),
                found.length == keys.count, found.products.count == 1
            else { return false }
            return turn.shelf.products[found.products[0]].id == item.product
                && MilliQuantity(said.quantityMilli) == item.quantity && said.unit == item.unit
        }
    }

    /// Written words: a transcript that says something beats one that says nothing; a no beats a yes; else the surer one.
    private func surest(_ ballots: [Ballot]) -> Interpretation {
        let read = ballots.map(\.hearings[0].heard)
        return read.dropFirst().reduce(read[0]) { isBetter($1, than: $0) ? $1 : $0 }
    }

    private func isBetter(_ other: Interpretation, than best: Interpretation) -> Bool {
        guard isUnderstood(other) == isUnderstood(best) else { return isUnderstood(other) }
        if other.isNo != best.isNo, other.isYes || best.isYes { return other.isNo }
        return other.confidenceMilli > best.confidenceMilli
    }

    /// Heard words: of all that any transcript may mean, what all of them together are nearest to. A voter who heard
    /// nothing like it costs as much as one who heard it badly.
    private func cheapest(_ ballots: [Ballot], _ turn: Turn) -> Interpretation {
        var meanings: [Request: (costs: [Double], heard: Interpretation, isExact: Bool, least: Double)] = [:]
        var order: [Request] = []
        for (voter, ballot) in ballots.enumerated() {
            for hearing in ballot.hearings where isUnderstood(hearing.heard) {
                let key = meaning(hearing.heard, turn)
                if meanings[key] == nil {
                    order.append(key)
                    meanings[key] = (
                        [Double](repeating: Hearing.absentCost, count: ballots.count), hearing.heard,
                        hearing.hasVote, hearing.cost
                    )
                }
                meanings[key]!.costs[voter] = min(meanings[key]!.costs[voter], hearing.cost)
                // What was written down word for word speaks for all that mean the same.
                let isNearer = hearing.hasVote ? !meanings[key]!.isExact : hearing.cost < meanings[key]!.least
                if isNearer, hearing.hasVote || !meanings[key]!.isExact {
                    (meanings[key]!.heard, meanings[key]!.isExact) = (hearing.heard, hearing.hasVote)
                }
                meanings[key]!.least = min(meanings[key]!.least, hearing.cost)
            }
        }
        func total(_ key: Request) -> Double { meanings[key]!.costs.reduce(0, +) }
        // First come, first served among equals: the gateway's order is the engine's own.
        let best = order.enumerated().min { (total($0.element), $0.offset) < (total($1.element), $1.offset) }
        guard let best, meanings[best.element]!.least <= Hearing.costMax,
            total(best.element) <= Hearing.meanMax * Double(ballots.count)
        else { return ballots[0].hearings[0].heard }
        var heard = meanings[best.element]!.heard
        heard.isDoubtful = !meanings[best.element]!.isExact
        if heard.isYes, let no = ballots.lazy.flatMap(\.hearings).first(where: { $0.isExact && $0.heard.isNo }) {
            return no.heard
        }
        heard.confidenceMilli = min(
            heard.confidenceMilli, Int64((1000 * (1 - meanings[best.element]!.least)).rounded()))
        return heard
    }

    /// A request as far as its meaning goes: the same for every spelling.
    private func meaning(_ heard: Interpretation, _ turn: Turn) -> Request {
        var key = heard.request
        key.mustAsk = false
        key.isYes = heard.isYes
        key.isNo = heard.isNo
        key.description = nil
        key.rivals = []
        if let name = key.spokenName {
            key.spokenName = nil
            switch turn.shelf.matcher.resolve(name) {
            case .one(let match): key.customer = turn.shelf.customers[match.index].id
            case .several(let matches), .weak(let matches):
                key.texts["who"] = matches.map { String($0.index) }.joined(separator: " ")
            case .none: key.spokenName = name
            }
        }
        key.spokenProduct = key.product == nil ? key.spokenProduct : nil
        for index in key.items.indices where key.items[index].product != nil { key.items[index].spoken = "" }
        return key
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

    /// What each voter may have said. Second thoughts of one voter are its own.
    func ballots(_ utterance: Utterance, _ interpreter: Interpreter) -> [Ballot] {
        let first = Utterance.Alternative(
            utterance.text, voter: utterance.voter, confidenceMilli: utterance.confidenceMilli)
        var out = [ballot(first, utterance.origin, interpreter)]
        for alternative in utterance.alternatives {
            let more = ballot(alternative, utterance.origin, interpreter)
            guard let place = out.firstIndex(where: { $0.voter == alternative.voter }) else {
                out.append(more)
                continue
            }
            // A second thought speaks where the first said nothing; a doubt in either stays a doubt.
            out[place].isBlocked = out[place].isBlocked || more.isBlocked
            if utterance.origin == .heard {
                // Of what one voter is much less sure of it takes part in the search, and neither agrees nor objects.
                let lag = out[place].confidenceMilli - alternative.confidenceMilli
                let isWeak = lag > Hearing.secondThoughtMilli && isUnderstood(out[place].hearings[0].heard)
                out[place].hearings += more.hearings.map { hearing in
                    var weighed = hearing
                    weighed.isSecondThought = isWeak
                    weighed.cost += Double(max(0, lag)) * Hearing.unsureCost
                    return weighed
                }
            } else if !isUnderstood(out[place].hearings[0].heard), isUnderstood(more.hearings[0].heard) {
                out[place].hearings = more.hearings
            }
        }
        return out
    }

    /// What overwrites, though it moves no money: taken in its own words or not at all, and asked about where one voter
    /// alone heard it. Ten free digits fit any talk; a bystander's "my brother is coming" was repaired into a customer's
    /// new telephone number, and an engine that knows commands alone hears digits in noise.
    private static let neverRepaired: Set<String> = [
        "UPDATE_CUSTOMER", "UPDATE_CUSTOMER_PHONE", "PROVIDE_EMAIL", "SET_PRICE", "CREATE_PRODUCT",
        "DELETE_CUSTOMER_DATA",
    ]

    private func ballot(
        _ transcript: Utterance.Alternative, _ origin: Utterance.Origin, _ interpreter: Interpreter
    ) -> Ballot {
        let (text, voter) = (transcript.text, transcript.voter)
        let exact = interpreter.interpret(text)
        var hearing = Hearing(heard: exact, cost: 0, isExact: true)
        var out = Ballot(
            voter: voter, confidenceMilli: transcript.confidenceMilli, isBlocked: exact.isBlocked, hearings: [hearing])
        guard origin == .heard else { return out }
        let strange = strangers(exact, interpreter.shelf)
        hearing.isExact = strange == 0 && exact.unread == 0 && !exact.reading.pieces.contains { $0.isRepaired }
        hearing.cost =
            Hearing.exactCost + Hearing.strangerCost * Double(strange + exact.unread)
            + Hearing.unsureness(transcript.confidenceMilli) + Hearing.rarity(of: exact)
        out.hearings = [hearing]
        guard let stream = SoundStream(interpreter.prepared(text).tokens) else { return out }
        for found in Decoder(grammar: grammar, shelf: interpreter.shelf).decode(stream) {
            var heard = interpreter.interpret(found.text)
            guard isUnderstood(heard), !Self.neverRepaired.contains(heard.request.intent) else { continue }
            // What was said with a doubt in it is not repaired into a deed.
            if exact.isBlocked, !Self.questions.contains(heard.request.intent) { continue }
            heard.request.rivals = found.rivals
            out.hearings.append(
                Hearing(heard: heard, cost: found.cost + Hearing.rarity(of: heard), isExact: false))
        }
        return out
    }

    /// Words that stand where a name stands and are no word of any name.
    private func strangers(_ heard: Interpretation, _ shelf: Shelf) -> Int {
        heard.reading.pieces.reduce(0) { sum, piece in
            guard piece.kind == .person || piece.kind == .unknown else { return sum }
            return sum
                + piece.range.count { index in
                    let key = heard.reading.keys[index]
                    return !shelf.nameWords.contains(key) && !shelf.landmarkWords.contains(key)
                        && grammar.lexicon.senses(of: key).isEmpty
                }
        }
    }

    private func isUnderstood(_ heard: Interpretation) -> Bool { heard.rule != nil || heard.isYes || heard.isNo }

    func isPosting(_ request: Request) -> Bool {
        Request.postings.contains(request.intent)
    }

    /// What writes without a further question: postings, a new customer, a bill that is sent in the same breath.
    private func isWriting(_ request: Request) -> Bool {
        isPosting(request) || request.intent == "CREATE_CUSTOMER"
            || request.intent == "CREATE_INVOICE" && request.autoSend
    }

    private func isSame(_ left: Request, _ right: Request, _ turn: Turn) -> Bool {
        func who(_ request: Request) -> NameMatcher.Answer? {
            request.spokenName.map { turn.shelf.matcher.resolve($0) }
        }
        return left.intent == right.intent && left.amount == right.amount && left.splits == right.splits
            && left.mode == right.mode && left.product == right.product && left.quantity == right.quantity
            && left.unit == right.unit && left.autoSend == right.autoSend && left.texts == right.texts
            && isSame(left.items, right.items)
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

/// One way to understand one transcript.
struct Hearing {
    var heard: Interpretation
    /// For each unit of sound: 0 is what was written down, word for word.
    var cost: Double
    /// Every word was in the packs or the shop as it was written down.
    var isExact: Bool
    /// The same voter was much surer of something else.
    var isSecondThought = false

    /// Whether it agrees or objects.
    var hasVote: Bool { isExact && !isSecondThought }

    /// An exact reading whose shape is in no pattern.
    static let exactCost = 0.06
    /// Each word of it that nobody knows.
    static let strangerCost = 0.06
    /// What an engine was unsure of costs more: its own words too, for one that knows commands alone writes a command
    /// whatever it hears.
    static func unsureness(_ confidenceMilli: Int64) -> Double {
        Double(max(0, sureFrom - confidenceMilli)) * unsureCost
    }
    static let sureFrom: Int64 = 750
    /// For each thousandth that an engine is less sure.
    static let unsureCost = 0.0004
    /// A voter's second thought is as good as its first within this.
    static let secondThoughtMilli: Int64 = 30
    /// A voter who heard nothing of the kind.
    static let absentCost = 0.20
    /// What is seldom said costs a little more than what is said all day: half rupees, sums over a day's takings of a
    /// small shop, odd sums, a reminder with a sum.
    static func rarity(of heard: Interpretation) -> Double {
        let request = heard.request
        var cost = heard.isYes || heard.isNo ? 0.02 : 0.0
        let paise = request.amount?.rawValue ?? 10_000
        let rupees = paise / 100
        if paise % 100 != 0 { cost += 0.06 }
        if rupees < 5 || rupees > 200_000 { cost += 0.04 }
        if rupees > 20_000 { cost += 0.04 } else if rupees > 5_000 { cost += 0.02 }
        if rupees % 5 != 0 { cost += rupees > 1_000 ? 0.04 : 0.02 }
        if request.intent == "UPDATE_STOCK" { cost += 0.02 }
        if request.intent == "CREATE_CUSTOMER" { cost += 0.03 }
        if request.intent == "CREATE_REMINDER", request.amount != nil { cost += 0.05 }
        return cost
    }

    /// Dearest hearing that is acted on, be it by a question.
    static let costMax = 0.24
    /// The same over all voters: what one alone heard has to be heard well.
    static let meanMax = 0.21
}

/// All that one voter may have heard.
struct Ballot {
    var voter: String
    /// Of its first transcript.
    var confidenceMilli: Int64
    var isBlocked: Bool
    /// Never empty; the exact reading first.
    var hearings: [Hearing]
}
