import Ledger

/// What of the technicians' calls is written into the book, and when. Plain.
///
/// The first call of its kind is written at once; equal ones of the next minute (same caller, token, method, result) are
/// counted and written as one record when the minute is over, so that a script which asks ten times a second cannot fill
/// the journal. A power cut loses that count at most, never that it was done.
struct CallTally {
    static let windowMilliseconds: Int64 = 60_000
    /// Kinds counted at once; with one more, the oldest is written early.
    static let kindsMax = 64

    private struct Kind: Hashable {
        var method: String
        var level: String
        var uid: Int64
        var token: String?
        var result: String

        init(_ call: TechnicianCall) {
            (method, level, uid, token, result) = (call.method, call.level, call.uid, call.token, call.result)
        }

        func record(times: Int64) -> TechnicianCall {
            TechnicianCall(method: method, level: level, uid: uid, token: token, result: result, times: times)
        }
    }

    private var windows: [Kind: (since: Int64, more: Int64)] = [:]

    /// - Returns: what is to be written now, oldest first.
    mutating func note(_ call: TechnicianCall, at now: Int64) -> [TechnicianCall] {
        var records = due(at: now)
        let kind = Kind(call)
        if let window = windows[kind] {
            windows[kind] = (window.since, window.more + 1)
            return records
        }
        if windows.count >= Self.kindsMax, let oldest = windows.min(by: { $0.value.since < $1.value.since }) {
            windows[oldest.key] = nil
            if oldest.value.more > 0 { records.append(oldest.key.record(times: oldest.value.more)) }
        }
        windows[kind] = (now, 0)
        return records + [kind.record(times: 1)]
    }

    /// The counts whose minute is over.
    mutating func due(at now: Int64) -> [TechnicianCall] {
        let over = windows.filter { now - $0.value.since >= Self.windowMilliseconds }
        return close(over)
    }

    /// All that is counted and not yet written; the daemon ends.
    mutating func all() -> [TechnicianCall] { close(windows) }

    private mutating func close(_ over: [Kind: (since: Int64, more: Int64)]) -> [TechnicianCall] {
        for kind in over.keys { windows[kind] = nil }
        return over.filter { $0.value.more > 0 }.sorted { $0.value.since < $1.value.since }
            .map { $0.key.record(times: $0.value.more) }
    }
}
