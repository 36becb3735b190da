import Logging
import ServiceLifecycle

/// Keeps recordings of turns for as long as the operator chose, and no longer. Opt-in: without configuration there is none.
/// A turn never waits for it.
final class Archive: Service {
    /// Recordings that wait to be stored, 0.1 MB each at most. When full: the newest is not kept, and counted.
    static let waitingMax = 32
    /// Between two looks for what is past its time.
    static let sweepPause = Duration.seconds(3600)

    private struct Recording: Sendable {
        var key: String
        var bytes: [UInt8]
    }

    private let store: any ArchiveStore
    private let retentionDays: Int64
    private let metrics: GatewayMetrics
    private let logger: Logger
    private let now: @Sendable () -> Int64
    private let stream: AsyncStream<Recording>
    private let door: AsyncStream<Recording>.Continuation

    init(
        _ store: any ArchiveStore, retentionDays: Int64, metrics: GatewayMetrics, logger: Logger,
        now: @escaping @Sendable () -> Int64 = SystemClock.milliseconds
    ) {
        self.store = store
        self.retentionDays = retentionDays
        self.metrics = metrics
        self.logger = logger
        self.now = now
        (stream, door) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.waitingMax))
    }

    /// - Throws: `SpeechError.refused` when the key file cannot be read.
    static func make(
        _ configuration: ArchiveConfiguration, metrics: GatewayMetrics, logger: Logger
    ) throws -> Archive {
        Archive(
            try store(configuration), retentionDays: configuration.retentionDays, metrics: metrics, logger: logger)
    }

    static func store(_ configuration: ArchiveConfiguration) throws -> any ArchiveStore {
        switch configuration.place {
        case .folder(let path): FolderArchive(path: path)
        case .bucket(let bucket): BucketArchive(bucket: bucket, secret: try ProviderSecret(bucket.keyFile))
        }
    }

    /// Takes a turn's sound. Any thread; never blocks.
    func keep(_ clip: SpeechClip) {
        let key = "\(clip.shopHash)/\(Self.day(now()))/\(clip.turn).ogg"
        if case .dropped = door.yield(Recording(key: key, bytes: clip.oggOpus)) {
            metrics.count("execora_archive_total", labels: [("result", "dropped")])
        }
    }

    static func day(_ milliseconds: Int64) -> String {
        let moment = RequestSignature.moment(milliseconds)
        return "\(moment.prefix(4))-\(moment.dropFirst(4).prefix(2))-\(moment.dropFirst(6).prefix(2))"
    }

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                for await recording in stream { await put(recording) }
            }
            group.addTask { [self] in
                while !Task.isCancelled {
                    await sweep()
                    try? await Task.sleep(for: Self.sweepPause)
                }
            }
            try? await gracefulShutdown()
            // What waits is stored before the end; the server's drain bounds it.
            door.finish()
            await group.next()
            group.cancelAll()
        }
    }

    private func put(_ recording: Recording) async {
        do {
            try await store.put(recording.bytes, key: recording.key)
            metrics.count("execora_archive_total", labels: [("result", "kept")])
        } catch {
            metrics.count("execora_archive_total", labels: [("result", "failed")])
            logger.warning("a recording was not archived", metadata: ["reason": "\(Self.reason(error))"])
        }
    }

    /// Removes what is past its days.
    func sweep() async {
        let last = Self.day(now() - retentionDays * 86_400_000)
        do {
            for key in try await store.keys(prefix: "") {
                let parts = key.split(separator: "/")
                // What is not named as ours is not ours to remove.
                guard parts.count == 3, parts[1].count == 10, key.hasSuffix(".ogg"), parts[1] < last else { continue }
                try await store.remove(key: key)
                metrics.count("execora_archive_total", labels: [("result", "removed")])
            }
        } catch {
            logger.warning("old recordings were not removed", metadata: ["reason": "\(Self.reason(error))"])
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as SpeechError: "\(error)"
        case let error as GatewayError: "\(error)"
        default: "\(type(of: error))"
        }
    }
}
