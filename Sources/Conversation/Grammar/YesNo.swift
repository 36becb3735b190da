/// Yes and no, in every language offered. No wins where both are heard.
enum YesNo {
    /// Classes that may stand beside a yes without making it something else.
    private static let besideYes: Set<String> = [
        "yes", "do", "confirm", "send", "filler", "ji", "is", "write", "add", "keep", "give", "put", "make", "apply",
        "and", "also", "more", "bill", "cancel", "delete", "remove",
    ]

    static func read(_ reading: Reading) -> (isYes: Bool, isNo: Bool) {
        let words = reading.pieces
        guard !words.isEmpty else { return (false, false) }
        let isNo = words.contains { $0.has("no") || $0.has("negation") }
        if isNo { return (false, true) }
        let hasYes = words.contains { $0.has("yes") }
        let isBare = words.allSatisfy { piece in
            piece.kind == .word && piece.senses.contains { Self.besideYes.contains($0.word) }
        }
        // "kar do", "confirm karo" and "bhej do" alone say yes too, where something was asked.
        let says = words.contains {
            $0.has("yes") || $0.has("do") || $0.has("confirm") || $0.has("send") || $0.has("write")
        }
        let isCancel = words.contains { $0.has("cancel") || $0.has("delete") || $0.has("remove") }
        return (isBare && (hasYes || (says && !isCancel)), false)
    }

    private static let cancelling = ["cancel", "delete", "remove", "stop"]

    static func isBareCancel(_ reading: Reading) -> Bool {
        let words = reading.pieces
        guard words.contains(where: { piece in cancelling.contains { piece.has($0) } }) else { return false }
        return words.allSatisfy { piece in
            (cancelling + ["filler", "do", "ji", "is"]).contains { piece.has($0) }
        }
    }
}
