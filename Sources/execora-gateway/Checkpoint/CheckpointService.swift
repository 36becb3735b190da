import Logging
import Seals
import ServiceLifecycle

/// Makes a checkpoint every night, and one at the start when the last is older than a day.
struct CheckpointService: Service {
    /// 20:30 UTC: two in the night in India, when no counter is open.
    static let momentOfDayMilliseconds: Int64 = (20 * 60 + 30) * 60_000
    static let dayMilliseconds: Int64 = 86_400_000

    let fleet: Fleet
    let folder: CheckpointFolder
    let key: SigningKey
    let logger: Logger
    let now: @Sendable () -> Int64

    /// How long until the next night's moment; never zero.
    static func wait(after now: Int64) -> Int64 {
        let passed = (now - momentOfDayMilliseconds) % dayMilliseconds
        return dayMilliseconds - (passed < 0 ? passed + dayMilliseconds : passed)
    }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .milliseconds(Self.wait(after: now())))
                await make()
            }
        }
    }

    private func make() async {
        do {
            if let made = try folder.make(try await fleet.heads(), key: key, nowMilliseconds: now()) {
                logger.info("checkpoint made", metadata: ["devices": "\(made.checkpoint.size)"])
            }
        } catch { logger.error("no checkpoint was made", metadata: ["reason": "\(error)"]) }
    }
}
