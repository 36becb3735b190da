import Synchronization

/// Gathers the questions "whose certificate is this?" that arrive while others are being answered; the next round trip
/// takes them all. With nobody else asking a question waits for nothing.
///
/// Holds one question a request in flight, so no more than there are connections.
final class LookupQueue: Sendable {
    /// Questions of one round trip.
    static let groupMax = 64

    struct Question: Sendable {
        var shop: [UInt8]
        var fingerprint: [UInt8]
    }

    private typealias Answer = Result<DeviceRecord?, GatewayError>

    private struct State {
        var waiting: [(question: Question, answer: CheckedContinuation<Answer, Never>)] = []
        var isAsking = false
    }

    private let directory: DeviceDirectory
    private let state = Mutex(State())

    init(_ directory: DeviceDirectory) { self.directory = directory }

    func device(_ question: Question) async throws -> DeviceRecord? {
        let answer = await withCheckedContinuation { continuation in
            let isFirst = state.withLock { state in
                state.waiting.append((question, continuation))
                defer { state.isAsking = true }
                return !state.isAsking
            }
            if isFirst { Task { await askAll() } }
        }
        return try answer.get()
    }

    private func askAll() async {
        while true {
            let group = state.withLock { state in
                let group = Array(state.waiting.prefix(Self.groupMax))
                state.waiting.removeFirst(group.count)
                if group.isEmpty { state.isAsking = false }
                return group
            }
            guard !group.isEmpty else { return }
            let answers: [Answer]
            do throws(GatewayError) {
                answers = try await directory.devices(group.map(\.question)).map { .success($0) }
            } catch {
                answers = group.map { _ in .failure(error) }
            }
            for (one, answer) in zip(group, answers) { one.answer.resume(returning: answer) }
        }
    }
}
