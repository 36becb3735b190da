import Glibc

/// What is known of the place output goes to: colour and redrawn lines on a terminal alone, plain text everywhere else.
enum Terminal {
    static let isTerminal = isatty(1) == 1
    /// NO_COLOR (no-color.org) and a dumb terminal are believed.
    static let hasColour =
        isTerminal && getenv("NO_COLOR") == nil && getenv("TERM").map { String(cString: $0) != "dumb" } ?? false

    enum Colour: String {
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    static func coloured(_ text: String, _ colour: Colour) -> String {
        hasColour ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// On a terminal the line replaces the one before; elsewhere it is a line of its own.
    static func redraw(_ line: String) -> Bool {
        guard isTerminal else { return SocketCall.say(line) }
        let bytes = Array("\r\u{1B}[K\(line)".utf8)
        return write(1, bytes, bytes.count) == bytes.count
    }

    /// Clears the screen for the next picture of `--watch`.
    static func wipe() {
        guard isTerminal else { return }
        let bytes = Array("\u{1B}[H\u{1B}[2J".utf8)
        _ = write(1, bytes, bytes.count)
    }

    /// A bar of at most `width` characters: how much of `full` it is, with a mark at `mark`.
    static func bar(_ value: Int64, of full: Int64, mark: Int64? = nil, width: Int = 40) -> String {
        func place(_ value: Int64) -> Int { Int(max(0, min(value, full)) * Int64(width) / max(1, full)) }
        var cells = [Character](repeating: "#", count: place(value))
        cells += [Character](repeating: ".", count: width - cells.count)
        if let mark { cells[min(width - 1, place(mark))] = "|" }
        return String(cells)
    }
}
