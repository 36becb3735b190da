import JSONText
import Testing

/// Every texts' value and, written again, its compact form.
@Test(arguments: [
    ("null", "null"), (" [1, -2 ,3.5]\n", "[1,-2,3.5]"), (#"{"a":{"b":[]},"c":"x"}"#, #"{"a":{"b":[]},"c":"x"}"#),
    (#""\u0928\n\"\\ \ud83d\ude00""#, "\"न\\n\\\"\\\\ 😀\""), ("9223372036854775807", "9223372036854775807"),
    (#""\u0001""#, #""\u0001""#), ("0", "0"), ("-0.5e1", "-5.0"),
])
func `a text reads and writes back`(text: String, again: String) throws {
    #expect(try JSONValue(parsing: text).text == again)
}

/// Broken texts are refused with the place; none crashes.
@Test(arguments: [
    "", "{", "[1,]", "{\"a\"}", "01", "1.", "nul", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"a", "\"\t\"", "[1] 2", "+1",
    "1e999", "{\"a\":1,}", "\"\\u12g4\"",
])
func `what is not JSON is refused`(text: String) {
    #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
}

@Test func `nesting is bounded`() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: JSONError.self) { try JSONValue(parsing: deep) }
}

@Test func `invalid UTF-8 is refused`() {
    #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
}
