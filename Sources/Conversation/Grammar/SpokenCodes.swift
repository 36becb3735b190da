/// Codes that are recognised by their form: GSTIN, PAN, e-mail addresses.
enum SpokenCodes {
    /// 15 characters: state 01-38, PAN, entity digit or letter, Z, check character. Source: GST registration form.
    static func gstin(_ text: String) -> String? {
        let bytes = Array(text.uppercased().utf8)
        guard bytes.count == 15, pan(String(decoding: bytes[2..<12], as: UTF8.self)) != nil, isDigit(bytes[0]),
            isDigit(bytes[1]), bytes[12...].allSatisfy({ isDigit($0) || isLetter($0) })
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Five letters, four digits, a letter. Source: Income Tax Rules, form of a PAN.
    static func pan(_ text: String) -> String? {
        let bytes = Array(text.uppercased().utf8)
        guard bytes.count == 10, bytes[..<5].allSatisfy(isLetter), bytes[5..<9].allSatisfy(isDigit), isLetter(bytes[9])
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// One "@", a local part, a domain of at least two labels whose last is letters. Stricter than RFC 5321: what
    /// is spoken at a counter has no quotes.
    static func isEmail(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, text.utf8.count <= 254 else { return false }
        let isPlain = { (byte: UInt8) in
            isDigit(byte) || isLetter(byte) || (97...122).contains(byte) || byte == 45 || byte == 46 || byte == 95
                || byte == 43
        }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        guard !parts[0].isEmpty, parts[0].utf8.allSatisfy(isPlain), parts[1].utf8.allSatisfy(isPlain),
            labels.count >= 2, labels.allSatisfy({ !$0.isEmpty }), let last = labels.last, last.utf8.count >= 2
        else { return false }
        return last.utf8.allSatisfy { isLetter($0) || (97...122).contains($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) }
}
