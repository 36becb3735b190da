import Ledger
import NIOCore
import Synchronization

/// Sees that a device has one turn in flight. A live turn takes the place of an older one, whose connection is closed:
/// behind a line that went quiet an old turn may hang for a minute, and nobody at the counter waits that long. A late
/// one (from the spool) waits for its turn instead, unless it is the same turn sent again.
final class TurnDesk: Sendable {
    private struct Seat {
        var turn: ULID
        var ticket: UInt64
        var channel: any Channel
    }

    private struct State {
        var seats: [[UInt8]: Seat] = [:]
        var nextTicket: UInt64 = 0
    }

    private let state = Mutex(State())

    /// - Returns: a ticket to give back with `leave`; nil when a late turn must wait.
    func enter(device: [UInt8], turn: ULID, isLate: Bool, channel: any Channel) -> UInt64? {
        let (ticket, older) = state.withLock { state -> (UInt64?, Seat?) in
            let older = state.seats[device]
            if let older, isLate, older.turn != turn { return (nil, nil) }
            state.nextTicket += 1
            state.seats[device] = Seat(turn: turn, ticket: state.nextTicket, channel: channel)
            return (state.nextTicket, older)
        }
        if let older, older.channel !== channel { older.channel.close(promise: nil) }
        return ticket
    }

    func leave(device: [UInt8], ticket: UInt64) {
        state.withLock { state in
            if state.seats[device]?.ticket == ticket { state.seats[device] = nil }
        }
    }

    var inFlight: Int { state.withLock { $0.seats.count } }
}
