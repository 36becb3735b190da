/// Faults that come again and again, told once a minute with their count: a log that fills the flash card is a fault of its
/// own (complaint F12: 2 GB of overrun lines took a device down). Plain.
struct RepeatedFaults {
    enum Kind: Hashable { case overrun, openFailed, clipping, flatLine }

    static let quietMilliseconds: Int64 = 60_000

    private var told: [Kind: (at: Int64, since: Int)] = [:]

    /// - Returns: how often it happened since it was told last, when it is to be told now; nil to keep quiet.
    mutating func note(_ kind: Kind, atMilliseconds now: Int64) -> Int? {
        guard let last = told[kind] else {
            told[kind] = (now, 0)
            return 1
        }
        let count = last.since + 1
        guard now - last.at >= Self.quietMilliseconds else {
            told[kind] = (last.at, count)
            return nil
        }
        told[kind] = (now, 0)
        return count
    }

    /// It is over: the next one is news again.
    mutating func forget(_ kind: Kind) { told[kind] = nil }
}
