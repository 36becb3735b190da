import CALSA
import Glibc

/// The capture thread's work on an ALSA device: open, read until something happens, close, begin again.
final class ALSACapture {
    /// An open device that gives nothing for so long is as good as unplugged.
    static let stallMilliseconds = 2_000
    /// Plugins that wake for every period although more was asked for are seen by so many early wake-ups in a row.
    private static let earlyWakeUpsMax = 4
    /// Behind a nap the sound is there already, so that `poll` does not sleep a second time.
    private static let napMarginMilliseconds = 2
    /// A suspended machine gets so long to bring its device back before it is started afresh.
    private static let resumeMilliseconds = 1_000

    private enum End {
        case stopped, muted, bufferTooSmall
        case failed(AudioError)
    }

    private let microphone: Microphone
    private let device: String
    private let isRealTime: Bool
    private var backoff = Backoff()
    private var overruns = OverrunPolicy()
    private var bufferMilliseconds: Int

    init(microphone: Microphone, device: String, isRealTime: Bool) {
        self.microphone = microphone
        self.device = device
        self.isRealTime = isRealTime
        bufferMilliseconds = microphone.configuration.bufferMilliseconds
    }

    func run() {
        microphone.show(.opening)
        while !microphone.mustStop {
            if microphone.isMuted {
                microphone.stayMuted()
                continue
            }
            switch hear() {
            case .stopped: return
            case .muted: backoff.reset()
            case .bufferTooSmall:
                bufferMilliseconds *= 2
                microphone.post.send(.bufferDoubled(milliseconds: bufferMilliseconds))
            case .failed(let error):
                let wait = backoff.next()
                if microphone.state == .open {
                    microphone.board.losses.wrappingAdd(1, ordering: .relaxed)
                    microphone.post.send(.lost(error, atSample: microphone.ring.end))
                } else {
                    microphone.post.send(.openFailed(error, retryMilliseconds: wait))
                }
                microphone.show(.lost)
                let until = SteadyClock.milliseconds() + Int64(wait)
                while !microphone.mustStop, !microphone.isMuted, case let left = until - SteadyClock.milliseconds(),
                    left > 0
                { microphone.command.wait(milliseconds: Int(left)) }
            }
        }
    }

    /// One opening of the device, to its end. The device is closed when this returns.
    private func hear() -> End {
        let configuration = microphone.configuration
        do throws(AudioError) {
            let pcm = try PCM.open(
                device: device,
                wish: PCM.Wish(
                    direction: .capture, periodMilliseconds: configuration.periodMilliseconds,
                    bufferMilliseconds: bufferMilliseconds,
                    availableMilliseconds: configuration.wakeMilliseconds, startMilliseconds: 0))
            return hear(pcm)
        } catch {
            return .failed(error)
        }
    }

    private func hear(_ pcm: borrowing PCM) -> End {
        let given = pcm.parameters
        let parameters = CaptureParameters(
            hertz: given.hertz, channels: given.channels, bits: given.bits, periodFrames: given.periodFrames,
            bufferFrames: given.bufferFrames, isRealTime: isRealTime)
        let post = microphone.post
        let line = CaptureLine(
            ring: microphone.ring, board: microphone.board, channel: microphone.configuration.channel,
            parameters: parameters
        ) { post.send($0) }
        let chunkFrames = given.hertz / 1000 * microphone.configuration.wakeMilliseconds
        let chunk = UnsafeMutableRawPointer.allocate(
            byteCount: chunkFrames * given.channels * given.bits / 8, alignment: 16)
        let entries = UnsafeMutablePointer<pollfd>.allocate(capacity: 1 + pcm.descriptors)
        defer {
            memset(chunk, 0, chunkFrames * given.channels * given.bits / 8)
            chunk.deallocate()
            entries.deallocate()
        }
        entries[0] = pollfd(fd: microphone.command.descriptor, events: Int16(POLLIN), revents: 0)
        pcm.fill(entries + 1)

        var code = snd_pcm_start(pcm.handle)
        guard code == 0 else { return .failed(PCM.error(code, "snd_pcm_start", device)) }
        var newest = SteadyClock.nanoseconds()
        let start = microphone.ring.end
        var hasSound = false

        var earlyWakeUps = 0
        var naps = false

        // From here to the return nothing allocates, locks or logs.
        while true {
            if naps {
                poll(
                    entries, 1, Int32(microphone.configuration.wakeMilliseconds + Self.napMarginMilliseconds))
            }
            let ready = poll(entries, nfds_t(1 + pcm.descriptors), Int32(Self.stallMilliseconds / 2))
            microphone.board.wakeUps.wrappingAdd(1, ordering: .relaxed)
            if entries[0].revents != 0 {
                microphone.command.drain()
                if microphone.mustStop { return .stopped }
                if microphone.isMuted { return .muted }
                if microphone.takeReopen() {
                    return .failed(.stalled(milliseconds: Int((SteadyClock.nanoseconds() - newest) / 1_000_000)))
                }
            }
            if ready > 0 { _ = pcm.events(entries + 1) }
            var (frames, time) = pcm.available()
            if frames >= 0 {
                let total = frames
                earlyWakeUps = total < chunkFrames * 3 / 4 ? earlyWakeUps + 1 : 0
                if earlyWakeUps >= Self.earlyWakeUpsMax { naps = true }
                while frames > 0 {
                    let got = snd_pcm_readi(pcm.handle, chunk, snd_pcm_uframes_t(min(frames, chunkFrames)))
                    if got <= 0 {
                        code = got == -Int(EAGAIN) ? 0 : Int32(got)
                        break
                    }
                    if given.bits == 16 {
                        line.take(chunk.assumingMemoryBound(to: Int16.self), count: got)
                    } else {
                        line.take(chunk.assumingMemoryBound(to: Int32.self), count: got)
                    }
                    frames -= got
                }
                if frames < total {
                    newest = time - Int64(frames) * 1_000_000_000 / Int64(given.hertz)
                    line.stamp(newestAtNanoseconds: newest)
                    if !hasSound {
                        hasSound = true
                        opened(parameters, atSample: start)
                    }
                } else if code == 0, SteadyClock.nanoseconds() - newest > Int64(Self.stallMilliseconds) * 1_000_000 {
                    return .failed(.stalled(milliseconds: Self.stallMilliseconds))
                }
            } else {
                code = Int32(frames)
            }
            guard code < 0 else { continue }
            if code == -ESTRPIPE { code = resume(pcm) }
            if code == -EPIPE {
                code = snd_pcm_prepare(pcm.handle)
                if code == 0 { code = snd_pcm_start(pcm.handle) }
            }
            guard code == 0 else { return .failed(PCM.error(code, "snd_pcm_readi", device)) }
            let now = SteadyClock.nanoseconds()
            line.fillGap(nanoseconds: now - newest)
            newest = now
            if overruns.overrun(atMilliseconds: now / 1_000_000) { return .bufferTooSmall }
        }
    }

    /// The device counts as open with its first sound, not before: a dead one often opens well.
    private func opened(_ parameters: CaptureParameters, atSample start: UInt64) {
        backoff.reset()
        microphone.board.opens.wrappingAdd(1, ordering: .relaxed)
        microphone.show(.open)
        microphone.post.send(.opened(parameters, atSample: start))
    }

    /// - Returns: 0 when it runs again, -EPIPE when it has to be started afresh.
    private func resume(_ pcm: borrowing PCM) -> Int32 {
        let until = SteadyClock.milliseconds() + Int64(Self.resumeMilliseconds)
        while SteadyClock.milliseconds() < until, !microphone.mustStop {
            let code = snd_pcm_resume(pcm.handle)
            if code == 0 { return 0 }
            if code != -EAGAIN { break }
            microphone.command.wait(milliseconds: 20)
        }
        return -EPIPE
    }
}
