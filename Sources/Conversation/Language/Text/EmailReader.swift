/// An e-mail address found among tokens.
public struct EmailReading: Hashable, Sendable {
    public var address: String
    public var range: Range<Int>
}

/// Reads e-mail addresses written ("priya@gmail.com") or said ("rahul at the rate gmail dot com").
public enum EmailReader {
    /// RFC 5321, 4.5.3.1: 64 octets before the sign, 254 in all.
    static let localBytesMax = 64
    static let addressBytesMax = 254

    /// The first address in the tokens, or nil.
    public static func find(in tokens: [Token]) -> EmailReading? {
        if let index = tokens.firstIndex(where: { $0.kind == .address }), isValid(tokens[index].text) {
            return EmailReading(address: tokens[index].text, range: index..<index + 1)
        }
        if let found = halfWritten(tokens) { return found }
        for index in tokens.indices {
            guard let afterSign = signEnd(tokens, index), let (domain, end) = domain(tokens, afterSign),
                let (local, start) = local(tokens, before: index)
            else { continue }
            let address = local + "@" + domain
            if isValid(address) { return EmailReading(address: address, range: start..<end) }
        }
        return nil
    }

    /// Letters, digits and . _ - + before the sign, a domain of at least two labels behind it.
    public static func isValid(_ address: String) -> Bool {
        guard address.utf8.count <= addressBytesMax, address.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            return false
        }
        let sides = address.split(separator: "@", omittingEmptySubsequences: false)
        guard sides.count == 2, (1...localBytesMax).contains(sides[0].utf8.count) else { return false }
        let isLetterOrDigit = { (byte: UInt8) in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        let local = Array(sides[0].utf8)
        guard local.allSatisfy({ isLetterOrDigit($0) || Array("._-+".utf8).contains($0) }),
            local.first != UInt8(ascii: "."), local.last != UInt8(ascii: "."),
            !zip(local, local.dropFirst()).contains(where: { $0 == UInt8(ascii: ".") && $1 == UInt8(ascii: ".") })
        else { return false }
        let labels = sides[1].split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, let top = labels.last, top.utf8.count >= 2,
            top.utf8.allSatisfy({ (65...90).contains($0) || (97...122).contains($0) })
        else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
        }
    }

    /// "rahul@gmail dot com": the sign written, the rest said.
    private static func halfWritten(_ tokens: [Token]) -> EmailReading? {
        guard let index = tokens.firstIndex(where: { $0.kind == .address }) else { return nil }
        var text = tokens[index].text
        var end = index + 1
        while end + 1 < tokens.count, dotWords.contains(tokens[end].text), let label = piece(tokens[end + 1]) {
            text += "." + label
            end += 2
        }
        return isValid(text) ? EmailReading(address: text, range: index..<end) : nil
    }

    private static let atWords: Set<String> = ["at", "@", "ऐट", "एट", "अट"]
    private static let dotWords: Set<String> = ["dot", "point", "डॉट", "डाट", "दोट"]
    private static let joiners: [String: String] = [
        "underscore": "_", "dash": "-", "hyphen": "-", "minus": "-", "अंडरस्कोर": "_", "डैश": "-",
    ]
    /// Words behind which an address begins, and words that are no part of one.
    private static let headings: Set<String> = ["email", "e-mail", "mail", "id", "address", "ईमेल", "मेल", "आईडी"]
    private static let plainWords: Set<String> = Set(
        "ka ki ke ko hai ho bhej do karo kar save add pe par to is iska uska uski iski ye yeh email mail id update naya new send the"
            .split(separator: " ").map(String.init))

    /// Token behind "at", "at the rate", "at the rate of", or nil when none starts here.
    private static func signEnd(_ tokens: [Token], _ index: Int) -> Int? {
        guard atWords.contains(tokens[index].text) else { return nil }
        var next = index + 1
        for word in [["the", "द", "दी", "d"], ["rate", "रेट"], ["of", "ऑफ"]] {
            guard next < tokens.count, word.contains(tokens[next].text) else { break }
            next += 1
        }
        return next
    }

    /// "gmail dot com", "my shop dot co dot in" from a token on.
    private static func domain(_ tokens: [Token], _ start: Int) -> (String, end: Int)? {
        var text = ""
        var index = start
        var labels = 0
        while index < tokens.count, let word = piece(tokens[index]) {
            // A domain ends with its last label: the next word follows without a dot.
            if labels > 0 && !text.hasSuffix(".") && !text.hasSuffix("-") { break }
            text += word
            index += 1
            labels += 1
            if index < tokens.count, tokens[index].gap == .stop || dotWords.contains(tokens[index].text) {
                let isWord = dotWords.contains(tokens[index].text)
                guard index + (isWord ? 1 : 0) < tokens.count else { break }
                // "gmail.com" is cut at its point; a full stop with a space behind it is no dot.
                if !isWord && tokens[index].range.lowerBound != tokens[index - 1].range.upperBound + 1 { break }
                text += "."
                if isWord { index += 1 }
            } else if index + 1 < tokens.count, let joiner = joiners[tokens[index].text] {
                text += joiner
                index += 1
            } else if labels == 1 && index + 2 < tokens.count && dotWords.contains(tokens[index + 1].text)
                && tokens[index].kind == .word && text.utf8.count <= 3
            {
                // "my shop dot in": short words of one label run together.
                text += piece(tokens[index]) ?? ""
                index += 1
                text += "."
                index += 1
            }
        }
        return text.contains(".") && !text.hasSuffix(".") ? (text, index) : nil
    }

    /// What stands before the sign: one word, longer over dots, underscores and digits, or all words since "email".
    private static func local(_ tokens: [Token], before sign: Int) -> (String, start: Int)? {
        guard sign > 0 else { return nil }
        var start = sign - 1
        guard piece(tokens[start]) != nil, !plainWords.contains(tokens[start].text) else { return nil }
        while start > 0 {
            let word = tokens[start - 1].text
            let isJoint = dotWords.contains(word) || joiners[word] != nil
            let atJoint = dotWords.contains(tokens[start].text) || joiners[tokens[start].text] != nil
            let isDigits = isDigit(tokens[start]) || isDigit(tokens[start - 1])
            guard isJoint || atJoint || isDigits, isJoint || piece(tokens[start - 1]) != nil,
                isJoint || atJoint || !plainWords.contains(word)
            else { break }
            start -= 1
        }
        // "email rahul sharma at gmail dot com": everything since the heading, four words at most.
        var heading = start
        while heading > 0, start - heading < 3, piece(tokens[heading - 1]) != nil,
            !headings.contains(tokens[heading - 1].text), !plainWords.contains(tokens[heading - 1].text)
        {
            heading -= 1
        }
        if heading > 0, heading < start, headings.contains(tokens[heading - 1].text) { start = heading }
        var text = ""
        for token in tokens[start..<sign] {
            if dotWords.contains(token.text) {
                text += "."
            } else if let joiner = joiners[token.text] {
                text += joiner
            } else {
                text += piece(token) ?? ""
            }
        }
        return text.isEmpty ? nil : (text, start)
    }

    private static func isDigit(_ token: Token) -> Bool {
        if token.kind == .number { return true }
        if case .small(let value, _)? = NumberWords.word(token.text) { return value < 10 }
        return false
    }

    /// A word or figure as it stands in an address: digits said are digits, Devanagari is Roman.
    private static func piece(_ token: Token) -> String? {
        switch token.kind {
        case .number: return token.text
        case .word:
            if case .small(let value, _)? = NumberWords.word(token.text), value < 10 { return String(value) }
            if let known = spelled[token.text] { return known }
            let roman = Script.hasDevanagari(token.text) ? Transliteration.plainRoman(token.text) : token.text
            return roman.utf8.allSatisfy { $0 < 128 } ? roman : nil
        default: return nil
        }
    }

    private static let spelled: [String: String] = [
        "जीमेल": "gmail", "कॉम": "com", "काम": "com", "इन": "in", "याहू": "yahoo", "हॉटमेल": "hotmail", "आउटलुक": "outlook",
        "को": "co", "नेट": "net", "ओआरजी": "org",
    ]
}
