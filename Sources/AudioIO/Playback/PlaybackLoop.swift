import CALSA
import Glibc

/// The playback thread's work: waits for a clip, opens the device, plays until nothing was asked for a while, closes it.
final class PlaybackLoop {
    private let speaker: Speaker
    private let configuration: SpeakerConfiguration

    init(speaker: Speaker) {
        self.speaker = speaker
        configuration = speaker.configuration
    }

    func run() {
        _ = AudioThread.askForRealTime(priority: configuration.priority)
        switch configuration.backend {
        case .alsa(let device): runDevice(device)
        case .file(let path): runFile(path)
        case .null:
            while let clip = waitForClip(milliseconds: -1) {
                speaker.started(clip, atMilliseconds: speaker.now())
                speaker.ended(clip, letPass(milliseconds: clip.milliseconds) ? .unheard : .interrupted)
            }
        }
    }

    /// - Returns: nil when the speaker stops, or when the time went by.
    private func waitForClip(milliseconds: Int) -> SoundClip? {
        let until = milliseconds < 0 ? Int64.max : SteadyClock.milliseconds() + Int64(milliseconds)
        while true {
            if let clip = speaker.next() { return clip }
            if speaker.mustStop { return nil }
            if until == .max {
                speaker.command.wait(milliseconds: -1)
            } else {
                let left = until - SteadyClock.milliseconds()
                if left <= 0 { return nil }
                speaker.command.wait(milliseconds: Int(left))
            }
        }
    }

    /// Lets the time of an unheard clip go by.
    /// - Returns: false when it was interrupted.
    private func letPass(milliseconds: Int) -> Bool {
        let until = SteadyClock.milliseconds() + Int64(milliseconds)
        while case let left = until - SteadyClock.milliseconds(), left > 0 {
            if speaker.mustInterrupt { return false }
            speaker.command.wait(milliseconds: Int(left))
        }
        return true
    }

    // File ----------------------------------------------------------------------------------------------------

    private func runFile(_ path: String) {
        var writer: WAVWriter?
        var error: AudioError?
        do throws(AudioError) { writer = try WAVWriter(path: path) } catch let failure { error = failure }
        while let clip = waitForClip(milliseconds: -1) {
            speaker.started(clip, atMilliseconds: speaker.now())
            if let writer {
                do throws(AudioError) {
                    // By way of Result: Array's closure doors are not yet typed in Swift 6.0.
                    try clip.samples.withUnsafeBufferPointer { all in
                        Result { () throws(AudioError) in try writer.append(all) }
                    }.get()
                } catch let failure {
                    error = failure
                }
            }
            if let error { speaker.onEvent(.failed(error)) }
            speaker.ended(clip, error == nil ? .played : .unheard)
        }
    }

    // ALSA ----------------------------------------------------------------------------------------------------

    private func runDevice(_ device: String) {
        while let clip = waitForClip(milliseconds: -1) {
            do throws(AudioError) {
                let pcm = try PCM.open(
                    device: device,
                    wish: PCM.Wish(
                        direction: .playback, periodMilliseconds: configuration.periodMilliseconds,
                        bufferMilliseconds: configuration.bufferMilliseconds,
                        availableMilliseconds: configuration.periodMilliseconds,
                        startMilliseconds: configuration.bufferMilliseconds / 2))
                let given = pcm.parameters
                speaker.onEvent(
                    .opened(
                        hertz: given.hertz, channels: given.channels, bits: given.bits,
                        periodFrames: given.periodFrames, bufferFrames: given.bufferFrames))
                playAll(pcm, first: clip)
            } catch {
                speaker.onEvent(.failed(error))
                speaker.started(clip, atMilliseconds: speaker.now())
                speaker.ended(clip, letPass(milliseconds: clip.milliseconds) ? .unheard : .interrupted)
            }
        }
    }

    /// Plays clips until none came for the idle time, the device failed, or the speaker stops.
    private func playAll(_ pcm: borrowing PCM, first: SoundClip) {
        var next: SoundClip? = first
        while let clip = next {
            let playback = ClipPlayback(clip: clip, speaker: speaker, parameters: pcm.parameters)
            switch playback.run(pcm) {
            case .played: speaker.ended(clip, .played)
            case .interrupted:
                snd_pcm_drop(pcm.handle)
                speaker.ended(clip, .interrupted)
            case .failed(let error):
                speaker.onEvent(.failed(error))
                if !playback.hasStarted { speaker.started(clip, atMilliseconds: speaker.now()) }
                speaker.ended(
                    clip, letPass(milliseconds: playback.millisecondsLeft) ? .unheard : .interrupted)
                return
            }
            next = waitForClip(milliseconds: configuration.idleMilliseconds)
        }
    }
}
