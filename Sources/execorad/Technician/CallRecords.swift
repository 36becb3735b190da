import Diagnostics
import JSONText
import Ledger
import Synchronization

/// Tells the system's journal and the book who did what at the technician's socket. Reading is not told; what tests,
/// changes or takes something is, with who did it and how it ended. Any thread.
final class CallRecords: Sendable {
    private let told: Set<String>
    private let house: House
    private let tally = Mutex(CallTally())

    init(_ house: House, methods: [Method]) {
        self.house = house
        told = Set(methods.filter { $0.role > .view }.map(\.name) + ["service.begin"])
    }

    func note(_ event: DiagnosticsEvent) {
        switch event {
        case .answered(let method, let peer, let isOK): note(method, peer, isOK ? "ok" : "failed")
        case .refused(let method, let peer): note(method, peer, "refused")
        case .left(let peer, _): if peer.grant != nil { house.presence.tokenGone() }
        default: break
        }
    }

    private func note(_ method: String, _ peer: Peer, _ result: String) {
        guard told.contains(method) else { return }
        house.log.notice(
            "technician's call", .init("method", .string(method)), .init("result", .string(result)),
            .init("level", .string(peer.role.name)), .init("uid", .integer(Int64(peer.uid))),
            .init("pid", .integer(Int64(peer.pid))), .init("holder", JSONValue(peer.grant?.holder)))
        let call = TechnicianCall(
            method: method, level: peer.role.name, uid: Int64(peer.uid), token: peer.grant?.mark, result: result,
            times: 1)
        keep(tally.withLock { $0.note(call, at: Moment.bootMilliseconds()) })
    }

    /// The button was held: service is open to whoever has the technician's socket.
    func notePresence() {
        let call = TechnicianCall(
            method: "button.held", level: "service", uid: -1, token: nil, result: "ok", times: 1)
        keep(tally.withLock { $0.note(call, at: Moment.bootMilliseconds()) })
    }

    /// Writes the counts whose minute is over. Cheap to call.
    func tick() { keep(tally.withLock { $0.due(at: Moment.bootMilliseconds()) }) }

    /// Writes what is left; before the book's desk closes.
    func close() { keep(tally.withLock { $0.all() }) }

    private func keep(_ calls: [TechnicianCall]) {
        guard !calls.isEmpty else { return }
        let taken = house.clerk.changeBook { [log = house.log] book in
            for call in calls {
                let now = WallTime(milliseconds: Moment.wallMilliseconds())
                var random = SystemRandomNumberGenerator()
                do throws(BookError) {
                    _ = try book.perform(
                        .recordCall(call), id: ULID(at: now, using: &random),
                        evidence: Evidence(confirmedBy: "technician"), at: now)
                } catch {
                    // The system's journal has it; the counter sells on.
                    log.warning(
                        "a technician's call could not be written into the book",
                        .init("method", .string(call.method)), .init("why", .string(House.words(error))))
                }
            }
        }
        if !taken { house.log.warning("the book is busy; a technician's call stands in the system's journal alone") }
    }
}
