import Synchronization

/// Counters and durations in Prometheus' text form. Labels are routes, statuses and verdicts: never a shop, a device
/// or anything said.
final class GatewayMetrics: Sendable {
    /// Series kept at most. When full: a new one is counted under `execora_metrics_dropped_total` alone.
    static let seriesMax = 500
    /// Upper ends in milliseconds.
    static let buckets: [Int64] = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 20_000]

    private struct Histogram {
        var counts = [Int64](repeating: 0, count: GatewayMetrics.buckets.count)
        var count: Int64 = 0
        var sum: Int64 = 0
    }

    private struct State {
        var counters: [String: Int64] = [:]
        var histograms: [String: Histogram] = [:]
        var dropped: Int64 = 0
    }

    private let state = Mutex(State())

    func count(_ name: String, labels: [(String, String)] = [], by amount: Int64 = 1) {
        let series = Self.series(name, labels)
        state.withLock { state in
            if state.counters[series] == nil, state.counters.count >= Self.seriesMax {
                state.dropped += 1
            } else {
                state.counters[series, default: 0] += amount
            }
        }
    }

    /// - Parameter name: ends in `_milliseconds`; one histogram a name, so code decides how many there are.
    func observe(_ name: String, milliseconds: Int64) {
        state.withLock { state in
            var histogram = state.histograms[name] ?? Histogram()
            for (index, end) in Self.buckets.enumerated() where milliseconds <= end { histogram.counts[index] += 1 }
            histogram.count += 1
            histogram.sum += milliseconds
            state.histograms[name] = histogram
        }
    }

    func value(_ name: String, labels: [(String, String)] = []) -> Int64 {
        state.withLock { $0.counters[Self.series(name, labels)] ?? 0 }
    }

    /// The page that a scraper reads (Prometheus text format 0.0.4), series in order of their names.
    var text: String {
        let (counters, histograms, dropped) = state.withLock { ($0.counters, $0.histograms, $0.dropped) }
        var lines: [String] = []
        var last = ""
        for (series, value) in counters.sorted(by: { $0.key < $1.key }) {
            let name = String(series.prefix { $0 != "{" })
            if name != last { lines.append("# TYPE \(name) counter") }
            last = name
            lines.append("\(series) \(value)")
        }
        for (name, histogram) in histograms.sorted(by: { $0.key < $1.key }) {
            lines.append("# TYPE \(name) histogram")
            for (index, end) in Self.buckets.enumerated() {
                lines.append("\(name)_bucket{le=\"\(end)\"} \(histogram.counts[index])")
            }
            lines.append("\(name)_bucket{le=\"+Inf\"} \(histogram.count)")
            lines.append("\(name)_sum \(histogram.sum)")
            lines.append("\(name)_count \(histogram.count)")
        }
        lines.append("# TYPE execora_metrics_dropped_total counter")
        lines.append("execora_metrics_dropped_total \(dropped)")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func series(_ name: String, _ labels: [(String, String)]) -> String {
        guard !labels.isEmpty else { return name }
        return name + "{" + labels.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ",") + "}"
    }
}
