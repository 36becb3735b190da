// LedgerFaults: the fault programme. A seed enters, one table leaves: what was tried, what was lost (nothing).
//
//   Disk/       a SQLite disk that forgets, tears, reorders and fails as flash and kernels do, by a seed
//   Shop/       a shop day of real commands on the real `LedgerStore`, with a model of its own beside it
//   Programme/  power cuts, kill points, errors at every index, bit rot, clocks, a simulated fleet
//
// For a process of its own (`execoractl faults`, `execoractl sim`): the disk becomes SQLite's default, so that the book
// is opened by the same calls as in the daemon, without a door that only tests would use. One thread.
// Largest it holds: a book of a few hundred entries twice, and what was written to it since its last sync.

/// What an invariant's check found wrong. The names are those of the design: I1 acknowledged entries are there, I2 sums
/// are zero, I3 the chain, I4 projections are the replay, I5 numbers, I6 the receipt is of this chain, I7 once and only
/// once.
public struct Violation: Error, Hashable, CustomStringConvertible {
    public var invariant: String
    public var what: String

    init(_ invariant: String, _ what: String) {
        self.invariant = invariant
        self.what = what
    }

    public var description: String { "\(invariant): \(what)" }
}
