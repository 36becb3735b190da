import JSONText
import Ledger
import Seals

extension SyncRunner {
    /// What `sync.show` answers: places, counts and codes.
    public func report(now: SyncMoment) throws(BookError) -> JSONValue {
        let (head, cursor) = (try book.head(), try book.cursor())
        let pending = head.epoch == cursor.epoch ? head.seq - cursor.seq : nil
        let (phase, reason) = words(driver.phase)
        return .object([
            .init("phase", .string(phase)), .init("reason", JSONValue(reason)),
            .init("failure", JSONValue(lastFailure.map(words))),
            .init("head_epoch", .integer(head.epoch)), .init("head_seq", .integer(head.seq)),
            .init("receipted_seq", .integer(cursor.seq)), .init("pending", JSONValue(pending)),
            .init("parked_seq", JSONValue(driver.parkedSeq)),
            .init(
                "next_try_ms",
                JSONValue(driver.dueMilliseconds.map { max(0, $0 - now.monotonicMilliseconds) })),
            .init("receipt_no", JSONValue(lastReceipt?.number)),
            .init("receipt_server_ms", JSONValue(lastReceipt?.server.rawValue)),
        ])
    }

    private func words(_ phase: SyncDriver.Phase) -> (String, String?) {
        switch phase {
        case .resting: ("resting", nil)
        case .backingOff: ("backing-off", nil)
        case .inFlight: ("sending", nil)
        case .stopped(.fork): ("stopped", "fork")
        case .stopped(.serverAhead): ("stopped", "server-ahead")
        case .stopped(.revoked): ("stopped", "revoked")
        }
    }

    private func words(_ failure: SyncDriver.Failure) -> String {
        switch failure {
        case .line: "line"
        case .identity(let code): code.isEmpty ? "identity" : "identity: \(code)"
        case .busy(let status): "busy \(status)"
        case .receipt: "receipt does not verify"
        case .gapAgain: "same gap again"
        case .unexpected(let status): "unexpected answer \(status)"
        case .book: "book"
        }
    }
}
