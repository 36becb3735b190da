import Synchronization

/// A bucket of tokens for each device: `burst` batches at once (a backlog drains), then `perMinute`. When empty: 429
/// with the seconds until the next token.
final class SyncPace: Sendable {
    /// Devices remembered. When full: those whose bucket is full again are forgotten; they lose nothing by it.
    static let devicesMax = 100_000

    private struct Bucket {
        /// In thousandths, so that the steady rate needs no fractions.
        var milliTokens: Int64
        var filledMilliseconds: Int64
    }

    let burst: Int64
    let perMinute: Int64
    private let buckets = Mutex<[[UInt8]: Bucket]>([:])

    init(burst: Int64, perMinute: Int64) {
        precondition(burst > 0 && perMinute > 0, "a pace of nothing")
        self.burst = burst
        self.perMinute = perMinute
    }

    /// Takes a token.
    ///
    /// - Returns: nil when there was one, else the seconds to wait.
    func wait(device: [UInt8], nowMilliseconds now: Int64) -> Int? {
        buckets.withLock { buckets in
            if buckets.count >= Self.devicesMax {
                buckets = buckets.filter { filled($0.value, now).milliTokens < burst * 1000 }
            }
            var bucket = filled(
                buckets[device] ?? Bucket(milliTokens: burst * 1000, filledMilliseconds: now), now)
            defer { buckets[device] = bucket }
            guard bucket.milliTokens >= 1000 else {
                let missing = 1000 - bucket.milliTokens
                return Int((missing * 60 + perMinute * 1000 - 1) / (perMinute * 1000)).clamped(to: 1...60)
            }
            bucket.milliTokens -= 1000
            return nil
        }
    }

    private func filled(_ bucket: Bucket, _ now: Int64) -> Bucket {
        // A clock set back gives nothing and takes nothing; more than an hour fills no more than the hour.
        let passed = min(max(0, now - bucket.filledMilliseconds), 3_600_000)
        // perMinute tokens in 60,000 ms are perMinute / 60 thousandths a millisecond. Time that was not enough for
        // a thousandth stays for the next call.
        let gained = passed * perMinute / 60
        let used =
            passed == 3_600_000 || now < bucket.filledMilliseconds
            ? now - bucket.filledMilliseconds : gained * 60 / perMinute
        return Bucket(
            milliTokens: min(burst * 1000, bucket.milliTokens + gained),
            filledMilliseconds: bucket.filledMilliseconds + used)
    }
}

extension Int {
    fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
