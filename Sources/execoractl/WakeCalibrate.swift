import AudioIO
import Flash
import Glibc
import JSONText
import WakeWord

/// One cutoff's outcome over the recordings.
struct CalibrationPoint {
    var cutoffMilli: Int
    /// Recordings with the wake word in which it was not heard.
    var missed: Int
    /// Wakes heard in the recordings without it.
    var falseWakes: Int
}

/// `wake calibrate`: which cutoff suits this shop, over its own recordings.
///
/// Every recording is scored once for each cutoff by the same listener the daemon runs.
func wakeCalibrate(_ call: WakeCall) throws -> Int32 {
    let manifest = try call.needed("--model")
    var model = try call.model("--model")
    let voice = call["--vad"] == nil ? nil : try call.model("--vad")
    let positives = try recordings(in: call.needed("--positives")).map { try call.samples($0) }
    let negatives = try recordings(in: call.needed("--negatives")).map { try call.samples($0) }
    guard !positives.isEmpty else { throw WakeCallError(description: "no .wav under --positives") }
    let negativeHours = Double(negatives.reduce(0) { $0 + $1.count }) / 16_000 / 3_600

    var points: [CalibrationPoint] = []
    for cutoffMilli in Array(stride(from: 500, through: 950, by: 50)) + [970, 990] {
        model.cutoff = Float(cutoffMilli) / 1000
        points.append(
            CalibrationPoint(
                cutoffMilli: cutoffMilli,
                missed: positives.count { wakes(in: $0, model: model, voice: voice).isEmpty },
                falseWakes: negatives.reduce(0) { $0 + wakes(in: $1, model: model, voice: voice).count }))
    }
    // The fewest false wakes among the cutoffs that miss no more than the best one by 2 in 100; the highest of those.
    let fewestMissed = points.map(\.missed).min() ?? 0
    let allowed = points.filter { $0.missed <= fewestMissed + positives.count / 50 }
    let fewestFalse = allowed.map(\.falseWakes).min() ?? 0
    let best = allowed.last { $0.falseWakes == fewestFalse } ?? points[0]

    for point in points {
        let (low, high) = wilson(point.missed, of: positives.count)
        let perHour = negativeHours > 0 ? Double(point.falseWakes) / negativeHours : 0
        if call.has("--json") {
            let line: JSONValue = [
                "cutoff_milli": .integer(Int64(point.cutoffMilli)), "missed": .integer(Int64(point.missed)),
                "positives": .integer(Int64(positives.count)), "missed_low_milli": .integer(Int64(low)),
                "missed_high_milli": .integer(Int64(high)), "false_wakes": .integer(Int64(point.falseWakes)),
                "negative_seconds": .integer(Int64(negativeHours * 3_600)),
                "is_best": .bool(point.cutoffMilli == best.cutoffMilli),
            ]
            print(line.text)
        } else {
            let tenths = Int((perHour * 10).rounded())
            print(
                "cutoff \(decimal(point.cutoffMilli)): missed \(point.missed) of \(positives.count) "
                    + "(95 %: \(percent(low)) to \(percent(high))), "
                    + "\(point.falseWakes) false wakes, \(tenths / 10).\(tenths % 10) an hour"
                    + (point.cutoffMilli == best.cutoffMilli ? "  <- best" : ""))
        }
    }
    if call.has("--write") {
        let path = (manifest.hasSuffix(".json") ? String(manifest.dropLast(5)) : manifest) + ".cutoff"
        guard let file = fopen(path, "we") else {
            throw WakeCallError(description: "\(path): \(String(cString: strerror(errno)))")
        }
        fputs("\(decimal(best.cutoffMilli))\n", file)
        guard fclose(file) == 0 else { throw WakeCallError(description: "\(path) could not be written") }
        if !call.has("--json") { print("written: \(path)") }
    }
    return 0
}

private func percent(_ milli: Int) -> String { "\(milli / 10).\(milli % 10) %" }

/// Wilson's 95 % interval of a proportion, in thousandths.
private func wilson(_ count: Int, of total: Int) -> (Int, Int) {
    let n = Double(total)
    let p = Double(count) / n
    let z = 1.96
    let middle = p + z * z / (2 * n)
    let spread = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    let scale = 1 + z * z / n
    return (Int(((middle - spread) / scale * 1000).rounded()), Int(((middle + spread) / scale * 1000).rounded()))
}

/// The `.wav` files of a folder, by name.
private func recordings(in folder: String) throws -> [String] {
    do throws(FlashError) {
        return try Flash.names(in: folder).filter { $0.hasSuffix(".wav") }.map { "\(folder)/\($0)" }
    } catch { throw WakeCallError(description: "\(folder): \(String(cString: strerror(error.code)))") }
}
