import Synchronization

/// What a device and a shop may use in a day: seconds of audio, tokens of the language model. Buckets that fill evenly
/// over the day, kept in memory: a restart fills them, which errs on the shop's side.
final class TurnQuota: Sendable {
    struct Limits: Hashable, Sendable {
        /// An hour of speech a day at one counter; a busy one speaks a tenth of it.
        var deviceAudioSeconds: Int64 = 3600
        var shopAudioSeconds: Int64 = 4 * 3600
        var shopTokens: Int64 = 200_000
    }

    /// Buckets kept. When full: those that have filled up again are forgotten, which changes nothing; should none have,
    /// the fullest one is.
    static let bucketsMax = 50_000
    private static let day = Duration.seconds(86_400)

    private struct Bucket {
        var left: Double
        var at: ContinuousClock.Instant
    }

    private enum Key: Hashable {
        case deviceAudio([UInt8])
        case shopAudio(String)
        case shopTokens(String)
    }

    private let limits: Limits
    private let buckets = Mutex<[Key: Bucket]>([:])

    init(_ limits: Limits) { self.limits = limits }

    /// - Returns: seconds until a turn may be sent; nil when it may now.
    func audioWait(device: [UInt8], shop: String, at now: ContinuousClock.Instant) -> Int? {
        [
            wait(.deviceAudio(device), of: limits.deviceAudioSeconds, at: now),
            wait(.shopAudio(shop), of: limits.shopAudioSeconds, at: now),
        ].compactMap { $0 }.max()
    }

    /// Audio is taken once it is known how long it was: a turn begun is heard to its end.
    func heard(seconds: Double, device: [UInt8], shop: String, at now: ContinuousClock.Instant) {
        take(seconds, from: .deviceAudio(device), of: limits.deviceAudioSeconds, at: now)
        take(seconds, from: .shopAudio(shop), of: limits.shopAudioSeconds, at: now)
    }

    func mayAskModel(shop: String, at now: ContinuousClock.Instant) -> Bool {
        wait(.shopTokens(shop), of: limits.shopTokens, at: now) == nil
    }

    func tokens(_ count: Int64, shop: String, at now: ContinuousClock.Instant) {
        take(Double(count), from: .shopTokens(shop), of: limits.shopTokens, at: now)
    }

    /// Units that come back a second.
    private static func flow(_ limit: Int64) -> Double { Double(limit) / Double(day.components.seconds) }

    private static func level(_ bucket: Bucket?, _ limit: Int64, _ now: ContinuousClock.Instant) -> Double {
        guard let bucket else { return Double(limit) }
        let passed = Double((now - bucket.at).milliseconds) / 1000
        return min(Double(limit), bucket.left + passed * flow(limit))
    }

    private func wait(_ key: Key, of limit: Int64, at now: ContinuousClock.Instant) -> Int? {
        guard limit > 0 else { return 86_400 }
        let level = Self.level(buckets.withLock { $0[key] }, limit, now)
        guard level <= 0 else { return nil }
        return max(1, Int((-level / Self.flow(limit)).rounded(.up)) + 1)
    }

    private func take(_ amount: Double, from key: Key, of limit: Int64, at now: ContinuousClock.Instant) {
        buckets.withLock { buckets in
            let level = Self.level(buckets[key], limit, now)
            buckets[key] = Bucket(left: level - amount, at: now)
            guard buckets.count > Self.bucketsMax else { return }
            let full = buckets.filter { entry in
                Self.level(entry.value, self.limit(of: entry.key), now) >= Double(self.limit(of: entry.key))
            }
            for key in full.keys { buckets[key] = nil }
            if full.isEmpty, let fullest = buckets.max(by: { $0.value.left < $1.value.left })?.key {
                buckets[fullest] = nil
            }
        }
    }

    private func limit(of key: Key) -> Int64 {
        switch key {
        case .deviceAudio: limits.deviceAudioSeconds
        case .shopAudio: limits.shopAudioSeconds
        case .shopTokens: limits.shopTokens
        }
    }
}
