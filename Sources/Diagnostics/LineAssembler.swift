/// Puts the pieces a socket gives together into lines. Pure; bounded by `bytesMax`.
struct LineAssembler {
    let bytesMax: Int
    private var held: [UInt8] = []
    /// Bytes before it were given out.
    private var start = 0
    /// Bytes before it hold no line's end.
    private var searched = 0

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// True between the first byte of a line and its end.
    var isInLine: Bool { start < held.count }

    mutating func append(_ bytes: some Collection<UInt8>) {
        held.removeFirst(start)
        searched -= start
        start = 0
        held += bytes
    }

    /// The next whole line without its end ("\n" or "\r\n"), nil when there is none yet.
    ///
    /// - Throws: `LineTooLong` once more than `bytesMax` bytes have no end among them.
    mutating func next() throws(LineTooLong) -> [UInt8]? {
        while searched < held.count, held[searched] != 0x0A { searched += 1 }
        guard searched - start <= bytesMax else { throw LineTooLong() }
        guard searched < held.count else { return nil }
        var line = Array(held[start..<searched])
        if line.last == 0x0D { line.removeLast() }
        searched += 1
        start = searched
        return line
    }
}

struct LineTooLong: Error, Equatable {}
