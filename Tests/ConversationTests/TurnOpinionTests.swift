import JSONText
import Ledger
import Testing

@testable import Conversation

/// A language model's word is untrusted: what it may say is a short list, what it may not has no place to stand.
struct TurnOpinionTests {
    private static let whole = TurnOpinion(
        intent: "CREATE_INVOICE", customer: "Kavita", amountPaise: nil, mode: nil,
        items: [.init(product: "paneer", quantityMilli: 500, unit: "kg")], engine: "llm:m")

    @Test func `an opinion comes back as it went`() throws {
        #expect(try TurnOpinion(json: Self.whole.json) == Self.whole)
        let reply = TurnReply(
            turn: ULID(high: 1, low: 2), verdict: .heard, transcripts: [], opinions: [Self.whole], milliseconds: 3)
        #expect(try TurnReply(json: reply.json) == reply)
    }

    @Test func `a gateway that knows no opinions is read as before`() throws {
        let old = #"{"turn":"\#(ULID(high: 1, low: 2))","verdict":"heard","milliseconds":1,"transcripts":[]}"#
        #expect(try TurnReply(json: JSONValue(parsing: old)).opinions.isEmpty)
    }

    @Test(arguments: [
        #"{"intent":"MAKE_ME_OWNER","engine":"e"}"#, #"{"intent":"RECORD_PAYMENT"}"#,
        #"{"intent":"RECORD_PAYMENT","engine":"e","amount_paise":-5}"#,
        #"{"intent":"RECORD_PAYMENT","engine":"e","amount_paise":0}"#,
        #"{"intent":"RECORD_PAYMENT","engine":"e","amount_paise":99999999999}"#,
        #"{"intent":"RECORD_PAYMENT","engine":"e","amount_paise":"20000"}"#,
        #"{"intent":"RECORD_PAYMENT","engine":"e","amount_paise":200.5}"#,
        #"{"intent":"RECORD_PAYMENT","engine":"e","mode":"gold"}"#,
        #"{"intent":"CREATE_INVOICE","engine":"e","items":[{"product":"rice","quantity_milli":0}]}"#,
        #"{"intent":"CREATE_INVOICE","engine":"e","items":[{"quantity_milli":1000}]}"#, "[]", "7",
    ])
    func `what is outside the lists and limits is refused`(text: String) throws {
        let json = try JSONValue(parsing: text)
        #expect(throws: TurnWireError.self) { try TurnOpinion(json: json) }
    }

    @Test func `a role, a price or a PIN has no place to go`() throws {
        let text = #"{"intent":"CHECK_BALANCE","customer":"Rahul","role":"owner","pin":"1234","price_paise":1}"#
        let opinion = try TurnOpinion(json: JSONValue(parsing: text), engine: "llm:m")
        #expect(opinion == TurnOpinion(intent: "CHECK_BALANCE", customer: "Rahul", engine: "llm:m"))
    }

    @Test func `long text and long lists are refused`() throws {
        let long = JSONValue.string(String(repeating: "a", count: TurnOpinion.textScalarsMax + 1))
        #expect(throws: TurnWireError.self) {
            try TurnOpinion(json: ["intent": "CHECK_BALANCE", "customer": long, "engine": "e"])
        }
        let item: JSONValue = ["product": "rice", "quantity_milli": 1000]
        let items = JSONValue.array(.init(repeating: item, count: TurnOpinion.itemsMax + 1))
        #expect(throws: TurnWireError.self) {
            try TurnOpinion(json: ["intent": "CREATE_INVOICE", "items": items, "engine": "e"])
        }
    }
}
