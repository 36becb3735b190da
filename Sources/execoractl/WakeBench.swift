import AudioIO
import Glibc
import JSONText
import OpusCoding
import WakeWord

/// `wake bench`: what hearing costs, in processor microseconds a second of sound, as one JSON line.
///
/// The file is heard over and over, in the daemon's 20 ms blocks, until `--seconds` of sound went through. Time is the
/// thread's own processor time, so that other programs show only through the caches.
func wakeBench(_ call: WakeCall) throws -> Int32 {
    let model = try call.model("--model")
    let voice = call["--vad"] == nil ? nil : try call.model("--vad")
    let seconds = try call.integer("--seconds", else: 60)
    guard let path = call.files.first, call.files.count == 1, seconds > 0 else {
        throw WakeCallError(description: "bench needs one file and some seconds")
    }
    let samples = try call.samples(path)
    let blockSamples = 320
    let blocks = samples.count / blockSamples
    guard blocks > 0 else { throw WakeCallError(description: "\(path) is shorter than 20 ms") }
    let rounds = max(1, (seconds * 16_000 + blocks * blockSamples - 1) / (blocks * blockSamples))
    let heardSeconds = Double(rounds * blocks * blockSamples) / 16_000

    func perSecond(_ work: (UnsafeBufferPointer<Int16>, UInt64) throws -> Void) rethrows -> Int64 {
        let began = threadNanoseconds()
        try samples.withUnsafeBufferPointer { all in
            var first: UInt64 = 0
            for _ in 0..<rounds {
                for block in 0..<blocks {
                    let start = block * blockSamples
                    try work(UnsafeBufferPointer(rebasing: all[start..<start + blockSamples]), first)
                    first += UInt64(blockSamples)
                }
            }
        }
        return Int64((Double(threadNanoseconds() - began) / 1000 / heardSeconds).rounded())
    }

    let frontend = FeatureFrontend()
    let features = perSecond { block, _ in
        var at = 0
        while at < block.count { at += frontend.take(UnsafeBufferPointer(rebasing: block[at...])).taken }
    }
    let listener = WakeListener(wake: [model], voice: voice, isQuick: true)
    var wakes: Int64 = 0
    let listening = perSecond { block, first in if listener.take(block, from: first) != nil { wakes += 1 } }
    var endpointer = Endpointer(hasVoiceModel: voice != nil)
    var ends: Int64 = 0
    let endpointing = perSecond { block, first in
        if !endpointer.isOpen { endpointer.open(.normal, at: first) }
        if endpointer.take(block, from: first, voiceMilli: 500) != nil { ends += 1 }
    }
    var line: JSONValue = [
        "seconds": .integer(Int64(heardSeconds)), "model": .string(model.name), "has_voice_model": .bool(voice != nil),
        "features_us": .integer(features), "listener_us": .integer(listening), "endpointer_us": .integer(endpointing),
        "wakes": .integer(wakes), "turn_ends": .integer(ends),
    ]
    if call.has("--opus") {
        var encoder = try OpusSpeechEncoder.open()
        var bytes: Int64 = 0
        let encoding = try perSecond { block, _ in bytes += Int64(try encoder.encode(block).count) }
        line = [
            "listening": line, "opus_us": .integer(encoding),
            "opus_bits_per_second": .integer(Int64(Double(bytes * 8) / heardSeconds)),
        ]
    }
    print(line.text)
    return 0
}

private func threadNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
