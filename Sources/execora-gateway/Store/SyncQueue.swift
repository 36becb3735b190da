import LedgerSync
import Synchronization

/// Gathers the batches that arrive while a COMMIT is under way; the next COMMIT takes them all. Under no load a batch
/// waits for nothing. Each lane is a connection of its own to the same database.
final class SyncQueue: Sendable {
    /// Batches in one transaction: at most 6 MB of envelopes.
    static let groupMax = 64
    /// Batches that wait. When full: 503, the device comes back.
    static let waitingMax = 1024

    private struct Waiting {
        var arrival: BatchArrival
        var answer: CheckedContinuation<Result<SyncOutcome, GatewayError>, Never>
    }

    private struct State {
        var waiting: [Waiting] = []
        var idle: [FleetStore]
    }

    private let sign: FleetStore.Sign
    private let now: @Sendable () -> Int64
    private let state: Mutex<State>

    init(lanes: [FleetStore], sign: @escaping FleetStore.Sign, now: @escaping @Sendable () -> Int64) {
        state = Mutex(State(idle: lanes))
        self.sign = sign
        self.now = now
    }

    /// Returns once the batch is on disk, or judged not to be taken.
    ///
    /// - Throws: `GatewayError` when it could not be stored, `Refusal` (503) when too many wait.
    func append(_ batch: VerifiedBatch, of device: DeviceRecord) async throws -> SyncOutcome {
        let result = await withCheckedContinuation { continuation in
            let (isFull, lane) = state.withLock { state -> (Bool, FleetStore?) in
                guard state.waiting.count < Self.waitingMax else { return (true, nil) }
                state.waiting.append(Waiting(arrival: .init(batch: batch, device: device), answer: continuation))
                return (false, state.idle.popLast())
            }
            if isFull { continuation.resume(returning: .failure(.full)) }
            if let lane { Task { await commitAll(over: lane) } }
        }
        if case .failure(.full) = result {
            throw Refusal.unavailable("too many batches wait for the disk", retryAfterSeconds: 5)
        }
        return try result.get()
    }

    private func commitAll(over store: FleetStore) async {
        while true {
            let group = state.withLock { state -> [Waiting] in
                let group = Array(state.waiting.prefix(Self.groupMax))
                state.waiting.removeFirst(group.count)
                if group.isEmpty { state.idle.append(store) }
                return group
            }
            guard !group.isEmpty else { return }
            let results: [Result<SyncOutcome, GatewayError>]
            do throws(GatewayError) {
                results = try await store.append(group.map(\.arrival), nowMilliseconds: now(), sign: sign)
            } catch {
                results = group.map { _ in .failure(error) }
            }
            for (waiting, result) in zip(group, results) { waiting.answer.resume(returning: result) }
        }
    }
}
