import CALSA
import Glibc

/// One clip on an open device: converted 20 ms at a time, written as the device takes it, waited for to its last sample.
final class ClipPlayback {
    enum End {
        case played, interrupted
        case failed(AudioError)
    }

    private static let chunkSamples = 320
    /// A device that takes nothing for so long is as good as unplugged.
    private static let stallMilliseconds: Int64 = 2_000

    private let clip: SoundClip
    private let speaker: Speaker
    private let parameters: PCM.Parameters
    private var interpolator: Interpolator?
    private var at = 0
    private var framesWritten = 0
    private(set) var hasStarted = false
    /// Written at 16 kHz, and not yet told to the reference: until the device runs nobody knows when they will sound.
    private var unplaced: [Int16] = []
    /// The reference knows where this clip stands, and the device has not stopped since.
    private var isPlaced = false

    init(clip: SoundClip, speaker: Speaker, parameters: PCM.Parameters) {
        self.clip = clip
        self.speaker = speaker
        self.parameters = parameters
        if parameters.hertz == 48_000 { interpolator = Interpolator() }
    }

    var millisecondsLeft: Int { (clip.samples.count - at) / 16 }

    func run(_ pcm: borrowing PCM) -> End {
        // The device may stand in an underrun since the last clip.
        if snd_pcm_state(pcm.handle) != SND_PCM_STATE_PREPARED {
            let code = snd_pcm_prepare(pcm.handle)
            guard code == 0 else { return .failed(PCM.error(code, "snd_pcm_prepare", pcm.device)) }
        }
        while at < clip.samples.count {
            let end = min(at + Self.chunkSamples, clip.samples.count)
            var bytes = deviceBytes(of: clip.samples[at..<end])
            if let end = write(&bytes, to: pcm) { return end }
            at = end
            place(pcm)
        }
        // The last period has to be full, or hardware would not play it.
        let frameBytes = parameters.channels * parameters.bits / 8
        let ragged = framesWritten % parameters.periodFrames
        if ragged > 0 {
            var silence = [UInt8](repeating: 0, count: (parameters.periodFrames - ragged) * frameBytes)
            if let end = write(&silence, to: pcm) { return end }
        }
        if snd_pcm_state(pcm.handle) == SND_PCM_STATE_PREPARED {
            let code = snd_pcm_start(pcm.handle)
            guard code == 0 else { return .failed(PCM.error(code, "snd_pcm_start", pcm.device)) }
        }
        sayStarted(pcm)
        place(pcm, silenceBehindFrames: ragged > 0 ? parameters.periodFrames - ragged : 0)
        return drain(pcm)
    }

    private func deviceBytes(of samples: ArraySlice<Int16>) -> [UInt8] {
        let gain = Int32(max(0, min(speaker.configuration.gainMilli, 1_000)))
        var mono: [Int16] = []
        mono.reserveCapacity(samples.count * 3)
        for sample in samples {
            let level = Int16(truncatingIfNeeded: Int32(sample) * gain / 1_000)
            if speaker.reference != nil { unplaced.append(level) }
            if interpolator != nil { interpolator!.take(level, into: &mono) } else { mono.append(level) }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(mono.count * parameters.channels * parameters.bits / 8)
        for sample in mono {
            for _ in 0..<parameters.channels {
                if parameters.bits == 32 { bytes += [0, 0] }
                bytes.append(UInt8(truncatingIfNeeded: sample))
                bytes.append(UInt8(truncatingIfNeeded: sample >> 8))
            }
        }
        return bytes
    }

    /// Tells the reference when the samples written since the last time will sound.
    private func place(_ pcm: borrowing PCM, silenceBehindFrames: Int = 0) {
        guard let reference = speaker.reference, !unplaced.isEmpty,
            snd_pcm_state(pcm.handle) == SND_PCM_STATE_RUNNING
        else { return }
        var delay: snd_pcm_sframes_t = 0
        guard snd_pcm_delay(pcm.handle, &delay) == 0 else { return }
        let end =
            SteadyClock.nanoseconds() + Int64(delay - silenceBehindFrames) * 1_000_000_000 / Int64(parameters.hertz)
        let start = end - Int64(unplaced.count) * 62_500
        let continues = isPlaced
        unplaced.withUnsafeBufferPointer { reference.played($0, atNanoseconds: start, continues: continues) }
        isPlaced = true
        unplaced.removeAll(keepingCapacity: true)
    }

    /// - Returns: nil when all was written.
    private func write(_ bytes: inout [UInt8], to pcm: borrowing PCM) -> End? {
        let frameBytes = parameters.channels * parameters.bits / 8
        let total = bytes.count / frameBytes
        var done = 0
        var lastProgress = SteadyClock.milliseconds()
        while done < total {
            if speaker.mustInterrupt { return .interrupted }
            let count = bytes.withUnsafeBytes {
                snd_pcm_writei(
                    pcm.handle, $0.baseAddress! + done * frameBytes, snd_pcm_uframes_t(total - done))
            }
            if count > 0 {
                done += count
                framesWritten += count
                lastProgress = SteadyClock.milliseconds()
                if !hasStarted, snd_pcm_state(pcm.handle) == SND_PCM_STATE_RUNNING { sayStarted(pcm) }
            } else if count == -Int(EAGAIN) || count == 0 {
                if SteadyClock.milliseconds() - lastProgress > Self.stallMilliseconds {
                    return .failed(.stalled(milliseconds: Int(Self.stallMilliseconds)))
                }
                waitForRoom(pcm)
            } else if count == -Int(EPIPE) || count == -Int(ESTRPIPE) {
                if hasStarted { speaker.onEvent(.underrun) }
                isPlaced = false
                let code = snd_pcm_prepare(pcm.handle)
                guard code == 0 else { return .failed(PCM.error(code, "snd_pcm_prepare", pcm.device)) }
            } else {
                return .failed(PCM.error(Int32(count), "snd_pcm_writei", pcm.device))
            }
        }
        return nil
    }

    private func waitForRoom(_ pcm: borrowing PCM) {
        withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 1 + pcm.descriptors) { entries in
            let base = entries.baseAddress!
            base.initialize(repeating: pollfd(), count: 1 + pcm.descriptors)
            base[0] = pollfd(fd: speaker.command.descriptor, events: Int16(POLLIN), revents: 0)
            pcm.fill(base + 1)
            if poll(base, nfds_t(1 + pcm.descriptors), 100) > 0 {
                if base[0].revents != 0 { speaker.command.drain() }
                _ = pcm.events(base + 1)
            }
        }
    }

    private func sayStarted(_ pcm: borrowing PCM) {
        guard !hasStarted else { return }
        hasStarted = true
        var delay: snd_pcm_sframes_t = 0
        // What lies between the device's read place and the ear; the clip's own frames behind it do not count.
        let ahead = snd_pcm_delay(pcm.handle, &delay) == 0 ? max(0, delay - framesWritten) : 0
        speaker.started(clip, atMilliseconds: speaker.now() + Int64(ahead * 1000 / parameters.hertz))
    }

    /// Waits until the device has played what it holds.
    private func drain(_ pcm: borrowing PCM) -> End {
        let longest = SteadyClock.milliseconds() + Self.stallMilliseconds
        while true {
            if speaker.mustInterrupt { return .interrupted }
            var delay: snd_pcm_sframes_t = 0
            let code = snd_pcm_delay(pcm.handle, &delay)
            // An underrun now means that the last sample has sounded.
            if code == -EPIPE || (code == 0 && delay <= 0) { return .played }
            guard code == 0 else { return .failed(PCM.error(code, "snd_pcm_delay", pcm.device)) }
            if snd_pcm_state(pcm.handle) != SND_PCM_STATE_RUNNING { return .played }
            if SteadyClock.milliseconds() > longest {
                return .failed(.stalled(milliseconds: Int(Self.stallMilliseconds)))
            }
            speaker.command.wait(milliseconds: max(1, Int(delay) * 1000 / parameters.hertz))
        }
    }
}
