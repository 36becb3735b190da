import JSONText
import Ledger

/// What the conversation remembers between utterances. Kept in the book, so a power cut loses none of it.
struct DialogueState: Equatable {
    /// Customers spoken of, the last one first.
    var people: [CustomerID] = []
    var peopleAt = WallTime(milliseconds: 0)
    /// Two were spoken of in one answer: "uska" may be either.
    var isTogether = false
    /// The intent last answered, for "aur Priya ka?".
    var lastIntent: String?
    var question: OpenQuestion?
    /// The posting last made here, for "nahi, teen sau".
    var lastEntry: Entry?
    /// The customer of the last committed bill, for an e-mail address said after it.
    var lastInvoice: String?
    /// The draft last read back, and when: a bare "nahi" means it.
    var lastDraft: ULID?
    var lastDraftAt = WallTime(milliseconds: 0)
    /// For "phir se bolo". Holds names and sums: in memory only, never in the book.
    var lastSpeech: String?

    struct Entry: Equatable {
        var event: ULID
        var request: Request
        var at: WallTime
    }

    static let peopleMax = 4
    /// Somebody spoken of longer ago than this is not meant by "uska".
    static let peopleLapseSeconds: Int64 = 900
    static let key = "dialogue"

    init() {}
}

/// Something the counter asked and waits for.
struct OpenQuestion: Equatable {
    enum Kind: String {
        /// Yes does the request, no drops it.
        case yesNo
        /// Deletion: a yes and the owner's PIN, in either order.
        case deletion
        /// Which of `options` is meant, then the request goes on.
        case which
        /// Is it the one customer in `options`? Yes goes on with the request.
        case isIt
        /// Which draft is confirmed.
        case whichDraft
        /// An amount, a name or items are missing from the request.
        case slot
        /// The price of an unknown product of a bill.
        case price
        /// The last entry is replaced by the request.
        case correction
        /// Create the customer although a near one exists.
        case newCustomer
        /// Is it the day the clock says? Yes commits the bill that waits for it.
        case date
    }

    var kind: Kind
    var request: Request
    /// Command ids of the answer come from it; made before the question is spoken.
    var base: ULID
    var askedAt: WallTime
    var options: [CustomerID] = []
    /// "amount", "customer", "items", "quantity", "product".
    var slot = ""
    /// The entry to be reversed, the invoice or drafts to be cancelled.
    var event: ULID?
    var invoice: String?
    var drafts: [ULID] = []
    var hasPIN = false
    var hasYes = false
    var wrongPINs = 0
    /// The question as spoken, to ask it again. In memory only, like `lastSpeech`.
    var speech = ""

    /// Yes or no settles it.
    var isYesNo: Bool {
        switch kind {
        case .yesNo, .deletion, .isIt, .correction, .newCustomer, .date: true
        case .which, .whichDraft, .slot, .price: false
        }
    }
}

// MARK: - Kept in the book

extension DialogueState {
    var bytes: [UInt8] { Array(json.text.utf8) }

    private var json: JSONValue {
        [
            "people": .array(people.map { .integer($0.rawValue) }), "peopleAt": .integer(peopleAt.rawValue),
            "isTogether": .bool(isTogether),
            "lastIntent": JSONValue(lastIntent), "question": question?.json ?? .null,
            "lastEntry": lastEntry.map {
                [
                    "event": .string($0.event.description), "request": $0.request.json, "at": .integer($0.at.rawValue),
                ]
            } ?? .null,
            "lastInvoice": JSONValue(lastInvoice), "lastDraft": JSONValue(lastDraft?.description),
            "lastDraftAt": .integer(lastDraftAt.rawValue),
        ]
    }

    /// State that cannot be read is forgotten: a question nobody remembers is safer than a wrong one.
    init(bytes: [UInt8]) {
        self.init()
        guard let json = try? JSONValue(parsing: bytes) else { return }
        people = (json["people"]?.array ?? []).compactMap(\.integer).map { CustomerID(rawValue: $0) }
        peopleAt = WallTime(milliseconds: json["peopleAt"]?.integer ?? 0)
        isTogether = json["isTogether"]?.bool ?? false
        lastIntent = json["lastIntent"]?.string
        question = json["question"].flatMap { OpenQuestion(json: $0) }
        if let entry = json["lastEntry"], let event = entry["event"]?.string.flatMap({ ULID($0) }),
            let request = entry["request"].flatMap({ Request(json: $0) }), let at = entry["at"]?.integer
        {
            lastEntry = Entry(event: event, request: request, at: WallTime(milliseconds: at))
        }
        lastInvoice = json["lastInvoice"]?.string
        lastDraft = json["lastDraft"]?.string.flatMap { ULID($0) }
        lastDraftAt = WallTime(milliseconds: json["lastDraftAt"]?.integer ?? 0)
    }
}

extension OpenQuestion {
    var json: JSONValue {
        [
            "kind": .string(kind.rawValue), "request": request.json, "base": .string(base.description),
            "askedAt": .integer(askedAt.rawValue), "options": .array(options.map { .integer($0.rawValue) }),
            "slot": .string(slot), "event": JSONValue(event?.description), "invoice": JSONValue(invoice),
            "drafts": .array(drafts.map { .string($0.description) }), "hasPIN": .bool(hasPIN),
            "hasYes": .bool(hasYes), "wrongPINs": .integer(Int64(wrongPINs)),
        ]
    }

    init?(json: JSONValue) {
        guard let kind = json["kind"]?.string.flatMap({ Kind(rawValue: $0) }),
            let request = json["request"].flatMap({ Request(json: $0) }),
            let base = json["base"]?.string.flatMap({ ULID($0) }), let askedAt = json["askedAt"]?.integer
        else { return nil }
        self.init(kind: kind, request: request, base: base, askedAt: WallTime(milliseconds: askedAt))
        options = (json["options"]?.array ?? []).compactMap(\.integer).map { CustomerID(rawValue: $0) }
        slot = json["slot"]?.string ?? ""
        event = json["event"]?.string.flatMap { ULID($0) }
        invoice = json["invoice"]?.string
        drafts = (json["drafts"]?.array ?? []).compactMap { $0.string.flatMap { ULID($0) } }
        hasPIN = json["hasPIN"]?.bool ?? false
        hasYes = json["hasYes"]?.bool ?? false
        wrongPINs = Int(json["wrongPINs"]?.integer ?? 0)
    }
}
