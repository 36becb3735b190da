import Glibc

/// The capture thread's work on a WAV file, or on nothing: the same line, the same ring, accidents on demand.
final class FileCapture {
    private static let blockMilliseconds = 40
    private static let roomMilliseconds = 100

    private let microphone: Microphone
    private let path: String?
    private let pace: MicrophoneConfiguration.Pace
    private let isRealTime: Bool
    private var accidents: ArraySlice<MicrophoneConfiguration.Accident>
    /// When the first sample is in the air, and how many of the file have been since.
    private var origin: Int64 = 0
    private var framesGone = 0
    /// How much the device's own clock runs fast, millionths; its seconds are that much shorter.
    private var driftMillionths: Int64 = 0

    init(microphone: Microphone, path: String?, pace: MicrophoneConfiguration.Pace, isRealTime: Bool) {
        self.microphone = microphone
        self.path = path
        self.pace = pace
        self.isRealTime = isRealTime
        accidents = microphone.configuration.accidents[...]
    }

    func run() {
        microphone.show(.opening)
        var source: WAVReader?
        do throws(AudioError) {
            if let path {
                let reader = try WAVReader(path: path)
                guard reader.format.hertz == 16_000 || reader.format.hertz == 48_000 else {
                    throw .rateRefused(hertz: 16_000, nearest: reader.format.hertz)
                }
                source = reader
            }
            try hear(source)
        } catch {
            microphone.post.send(.openFailed(error, retryMilliseconds: 0))
            microphone.show(.lost)
        }
        // A file does not come back; the thread waits for the end.
        while !microphone.mustStop { microphone.command.wait(milliseconds: -1) }
    }

    private func hear(_ source: WAVReader?) throws(AudioError) {
        let hertz = source?.format.hertz ?? 16_000
        let channels = source?.format.channels ?? 1
        let block = hertz / 1000 * Self.blockMilliseconds
        let parameters = CaptureParameters(
            hertz: hertz, channels: channels, bits: 16, periodFrames: block, bufferFrames: block,
            isRealTime: isRealTime)
        let post = microphone.post
        let line = CaptureLine(
            ring: microphone.ring, board: microphone.board, channel: microphone.configuration.channel,
            parameters: parameters
        ) { post.send($0) }
        let frames = UnsafeMutableBufferPointer<Int16>.allocate(capacity: block * channels)
        frames.initialize(repeating: 0)
        defer { frames.deallocate() }
        origin = SteadyClock.nanoseconds()
        opened(parameters)

        var silenceLeft = hertz / 1000 * microphone.configuration.silenceAfterFileMilliseconds
        while !microphone.mustStop {
            if microphone.isMuted {
                microphone.stayMuted()
                origin = SteadyClock.nanoseconds() - nanoseconds(ofFrames: framesGone, hertz)
                if !microphone.mustStop { opened(parameters) }
                continue
            }
            var wanted = block
            if let accident = accidents.first {
                if accident.atSample <= framesGone {
                    accidents.removeFirst()
                    try suffer(accident.kind, source, line, hertz, parameters)
                    continue
                }
                wanted = min(wanted, accident.atSample - framesGone)
            }
            var count = wanted
            if let source {
                count = try source.read(into: UnsafeMutableBufferPointer(rebasing: frames[..<(wanted * channels)]))
                if count == 0 {
                    count = min(wanted, silenceLeft)
                    silenceLeft -= count
                    frames.update(repeating: 0)
                }
            }
            guard count > 0 else { break }
            guard waitForTurn(after: count, hertz) else { continue }
            line.take(frames.baseAddress!, count: count)
            line.stamp(newestAtNanoseconds: origin + nanoseconds(ofFrames: framesGone, hertz))
        }
        guard !microphone.mustStop else { return }
        microphone.show(.ended)
        microphone.post.send(.ended(atSample: microphone.ring.end))
    }

    /// How long so many frames last by the device's clock.
    private func nanoseconds(ofFrames frames: Int, _ hertz: Int) -> Int64 {
        Int64(frames) * (1_000_000_000 - driftMillionths * 1_000) / Int64(hertz)
    }

    private func opened(_ parameters: CaptureParameters) {
        microphone.board.opens.wrappingAdd(1, ordering: .relaxed)
        microphone.show(.open)
        microphone.post.send(.opened(parameters, atSample: microphone.ring.end))
    }

    /// Waits until the frames are in the air, or until the ring has room for them.
    /// - Returns: false when the microphone is to stop; a mute is seen behind this block.
    private func waitForTurn(after count: Int, _ hertz: Int) -> Bool {
        framesGone += count
        switch pace {
        case .realTime:
            let due = origin + nanoseconds(ofFrames: framesGone, hertz)
            while !microphone.mustStop, case let left = due - SteadyClock.nanoseconds(), left > 0 {
                microphone.command.wait(milliseconds: Int((left + 999_999) / 1_000_000))
            }
        case .asRead:
            let samples = count * 16_000 / hertz + 1
            while !microphone.mustStop,
                !microphone.ring.waitForRoom(samples: samples, milliseconds: Self.roomMilliseconds)
            {}
        }
        microphone.board.wakeUps.wrappingAdd(1, ordering: .relaxed)
        return !microphone.mustStop
    }

    private func suffer(
        _ kind: MicrophoneConfiguration.Accident.Kind, _ source: WAVReader?, _ line: CaptureLine, _ hertz: Int,
        _ parameters: CaptureParameters
    ) throws(AudioError) {
        switch kind {
        case .overrun(let samples):
            try source?.skip(frames: samples)
            guard waitForTurn(after: samples, hertz) else { return }
            line.fillGap(nanoseconds: Int64(samples) * 1_000_000_000 / Int64(hertz))
        case .unplugged(let samples):
            microphone.board.losses.wrappingAdd(1, ordering: .relaxed)
            microphone.show(.lost)
            microphone.post.send(.lost(.missing(device: path ?? "null"), atSample: microphone.ring.end))
            try source?.skip(frames: samples)
            guard waitForTurn(after: samples, hertz) else { return }
            opened(parameters)
        case .standstill:
            let since = SteadyClock.nanoseconds()
            while !microphone.mustStop, !microphone.takeReopen() { microphone.command.wait(milliseconds: -1) }
            guard !microphone.mustStop else { return }
            let still = SteadyClock.nanoseconds() - since
            microphone.board.losses.wrappingAdd(1, ordering: .relaxed)
            microphone.show(.lost)
            microphone.post.send(
                .lost(.stalled(milliseconds: Int(still / 1_000_000)), atSample: microphone.ring.end))
            origin += still
            opened(parameters)
        case .drift(let millionths):
            // The frames until here were counted by the old clock.
            let gone = nanoseconds(ofFrames: framesGone, hertz)
            driftMillionths = Int64(millionths)
            origin += gone - nanoseconds(ofFrames: framesGone, hertz)
        }
    }
}
