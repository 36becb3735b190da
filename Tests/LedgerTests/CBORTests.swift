import Ledger
import Testing

@Suite struct CBORTests {
    /// RFC 8949, appendix A: the examples of the kinds the journal uses.
    static let examples: [(CBORValue, String)] = [
        (.integer(0), "00"), (.integer(1), "01"), (.integer(10), "0a"), (.integer(23), "17"), (.integer(24), "1818"),
        (.integer(25), "1819"), (.integer(100), "1864"), (.integer(1000), "1903e8"),
        (.integer(1_000_000), "1a000f4240"),
        (.integer(1_000_000_000_000), "1b000000e8d4a51000"), (.integer(-1), "20"), (.integer(-10), "29"),
        (.integer(-100), "3863"), (.integer(-1000), "3903e7"), (.bool(false), "f4"), (.bool(true), "f5"), (.null, "f6"),
        (.bytes([]), "40"), (.bytes([1, 2, 3, 4]), "4401020304"), (.text(""), "60"), (.text("a"), "6161"),
        (.text("IETF"), "6449455446"), (.text("\"\\"), "62225c"), (.text("ü"), "62c3bc"), (.text("水"), "63e6b0b4"),
        (.array([]), "80"), (.array([.integer(1), .integer(2), .integer(3)]), "83010203"),
        (
            .array([.integer(1), .array([.integer(2), .integer(3)]), .array([.integer(4), .integer(5)])]),
            "8301820203820405"
        ),
        (.map([:]), "a0"), (.map([1: .integer(2), 3: .integer(4)]), "a201020304"),
        (.integer(Int64.max), "1b7fffffffffffffff"), (.integer(Int64.min), "3b7fffffffffffffff"),
    ]

    @Test(arguments: examples)
    func `the examples of the standard are written and read as printed there`(value: CBORValue, text: String) throws {
        #expect(value.encoded.hex == text)
        #expect(try CBORValue(decoding: value.encoded) == value)
        #expect(CBORValue.isCanonical(value.encoded))
    }

    @Test(arguments: [
        ("1800", CBORError.notCanonical), ("1817", .notCanonical), ("190001", .notCanonical), ("1900ff", .notCanonical),
        ("1a0000ffff", .notCanonical), ("1b00000000ffffffff", .notCanonical), ("a203040102", .notCanonical),
        ("a201020104", .notCanonical), ("0000", .trailingBytes), ("", .truncated), ("19", .truncated),
        ("62c3", .truncated),
        ("8201", .truncated), ("a101", .truncated), ("9bffffffffffffffff", .truncated),
        ("5bffffffffffffffff", .truncated),
        ("f90000", .unsupported), ("fb0000000000000000", .unsupported), ("f7", .unsupported), ("5f", .unsupported),
        ("9f", .unsupported), ("c100", .unsupported), ("61ff", .unsupported), ("1bffffffffffffffff", .unsupported),
        ("3bffffffffffffffff", .unsupported), ("a1616101", .unsupported),
        ("8181818181818181818181818181818181818101", .tooDeep),
    ])
    func `any other encoding of a value is refused`(text: String, error: CBORError) {
        #expect(throws: error) { try CBORValue(decoding: bytes(text)) }
        #expect(!CBORValue.isCanonical(bytes(text)))
    }

    /// Whatever is read is written back as it was: there are not two encodings of one thing.
    @Test func `random bytes that are read are what would be written`() {
        var random = SeededRandom(seed: 8)
        var read = 0
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let value = try? CBORValue(decoding: bytes)
            #expect(CBORValue.isCanonical(bytes) == (value != nil))
            guard let value else { continue }
            read += 1
            #expect(value.encoded == bytes)
        }
        #expect(read > 100)
    }

    private func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16)! }
    }
}
