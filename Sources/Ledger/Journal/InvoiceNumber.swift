/// `SSS/YY-NNNNNNN`: series of the counter, first year of the financial year, number without gaps. 14 characters,
/// within the 16 of rule 46(b) of the CGST Rules. A credit note counts by itself, `SSS/YY-CNNNNNN`: the letter keeps
/// its numbers apart from the bills of every counter of the shop.
public struct InvoiceNumber: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case invoice = ""
        case creditNote = "C"

        /// When a counter has used all numbers of a year, it needs another series: refused.
        public var numberMax: Int64 { self == .invoice ? 9_999_999 : 999_999 }
    }

    public var kind: Kind
    public var series: String
    /// First calendar year of the financial year, four digits.
    public var year: Int64
    public var number: Int64

    public init(_ kind: Kind = .invoice, series: String, year: Int64, number: Int64) {
        self.kind = kind
        self.series = series
        self.year = year
        self.number = number
    }

    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 14, bytes[3] == UInt8(ascii: "/"), bytes[6] == UInt8(ascii: "-") else { return nil }
        let kind: Kind = bytes[7] == UInt8(ascii: "C") ? .creditNote : .invoice
        guard let year = Int64(String(decoding: bytes[4..<6], as: UTF8.self)),
            let number = Int64(String(decoding: bytes[(7 + kind.rawValue.utf8.count)...], as: UTF8.self))
        else { return nil }
        self.init(kind, series: String(decoding: bytes[..<3], as: UTF8.self), year: 2000 + year, number: number)
        guard description == text else { return nil }
    }

    public var description: String {
        "\(series)/\(Self.padded(year % 100, 2))-\(kind.rawValue)\(Self.padded(number, 7 - kind.rawValue.utf8.count))"
    }

    /// Under what the next number is kept.
    var code: String { series + kind.rawValue }

    /// Three characters of A-Z and 0-9.
    public static func isSeries(_ text: String) -> Bool {
        text.utf8.count == 3
            && text.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || (48...57).contains($0) }
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
