import CALSA
import Glibc

/// One open ALSA device, closed when it goes out of scope. Owned by one thread.
struct PCM: ~Copyable {
    enum Direction { case capture, playback }

    /// What is asked for; `PCM.parameters` says what was given.
    struct Wish {
        var direction: Direction
        /// In the order of preference; the first the device does is taken.
        var hertz = [16_000, 48_000]
        var periodMilliseconds: Int
        var bufferMilliseconds: Int
        /// `poll` returns when so much can be read or written.
        var availableMilliseconds: Int
        /// Playback starts by itself when so much is written; capture is started by hand.
        var startMilliseconds: Int
    }

    struct Parameters: Equatable {
        var hertz: Int
        var channels: Int
        var bits: Int
        var periodFrames: Int
        var bufferFrames: Int
    }

    let handle: OpaquePointer
    let device: String
    let parameters: Parameters
    /// Descriptors `poll` needs for this device.
    let descriptors: Int

    private init(handle: OpaquePointer, device: String, parameters: Parameters) {
        self.handle = handle
        self.device = device
        self.parameters = parameters
        descriptors = Int(max(0, snd_pcm_poll_descriptors_count(handle)))
    }

    deinit { snd_pcm_close(handle) }

    /// Opens and sets up a device, non-blocking. Blocks while the driver or the sound server answers.
    static func open(device: String, wish: Wish) throws(AudioError) -> PCM {
        calsa_silence()
        var handle: OpaquePointer?
        let stream = wish.direction == .capture ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK
        let code = snd_pcm_open(&handle, device, stream, Int32(SND_PCM_NONBLOCK))
        guard code == 0, let handle else { throw error(code, "snd_pcm_open", device) }
        do {
            let parameters = try setUp(handle, device: device, wish: wish)
            return PCM(handle: handle, device: device, parameters: parameters)
        } catch {
            snd_pcm_close(handle)
            throw error
        }
    }

    static func error(_ code: Int32, _ operation: String, _ device: String) -> AudioError {
        switch -code {
        case EBUSY: .busy(device: device)
        // A sound server that is not there refuses the connection.
        case ENOENT, ENODEV, ENXIO, ECONNREFUSED, EIO: .missing(device: device)
        default: .alsa(code: code, operation: operation)
        }
    }

    private static func setUp(
        _ handle: OpaquePointer, device: String, wish: Wish
    ) throws(AudioError) -> Parameters {
        func check(_ code: Int32, _ operation: String) throws(AudioError) {
            if code < 0 { throw error(code, operation, device) }
        }
        var hardware: OpaquePointer?
        try check(snd_pcm_hw_params_malloc(&hardware), "snd_pcm_hw_params_malloc")
        defer { snd_pcm_hw_params_free(hardware) }
        try check(snd_pcm_hw_params_any(handle, hardware), "snd_pcm_hw_params_any")
        // A `plug` device would hide what the hardware does behind a poor resampler.
        try check(snd_pcm_hw_params_set_rate_resample(handle, hardware, 0), "snd_pcm_hw_params_set_rate_resample")
        try check(
            snd_pcm_hw_params_set_access(handle, hardware, SND_PCM_ACCESS_RW_INTERLEAVED),
            "snd_pcm_hw_params_set_access")

        let bits: Int
        if snd_pcm_hw_params_set_format(handle, hardware, SND_PCM_FORMAT_S16_LE) == 0 {
            bits = 16
        } else if snd_pcm_hw_params_set_format(handle, hardware, SND_PCM_FORMAT_S32_LE) == 0 {
            bits = 32
        } else {
            throw .formatRefused(device: device)
        }

        var channels: UInt32 = 1
        try check(
            snd_pcm_hw_params_set_channels_near(handle, hardware, &channels), "snd_pcm_hw_params_set_channels_near")

        var rate: UInt32 = 0
        for hertz in wish.hertz where snd_pcm_hw_params_test_rate(handle, hardware, UInt32(hertz), 0) == 0 {
            rate = UInt32(hertz)
            break
        }
        guard rate > 0 else {
            var nearest = UInt32(wish.hertz[0])
            snd_pcm_hw_params_set_rate_near(handle, hardware, &nearest, nil)
            throw .rateRefused(hertz: wish.hertz[0], nearest: Int(nearest))
        }
        try check(snd_pcm_hw_params_set_rate(handle, hardware, rate, 0), "snd_pcm_hw_params_set_rate")

        let perMillisecond = snd_pcm_uframes_t(rate / 1000)
        var period = perMillisecond * snd_pcm_uframes_t(wish.periodMilliseconds)
        try check(
            snd_pcm_hw_params_set_period_size_near(handle, hardware, &period, nil),
            "snd_pcm_hw_params_set_period_size_near")
        var buffer = perMillisecond * snd_pcm_uframes_t(wish.bufferMilliseconds)
        try check(
            snd_pcm_hw_params_set_buffer_size_near(handle, hardware, &buffer),
            "snd_pcm_hw_params_set_buffer_size_near")
        try check(snd_pcm_hw_params(handle, hardware), "snd_pcm_hw_params")
        snd_pcm_hw_params_get_period_size(hardware, &period, nil)
        snd_pcm_hw_params_get_buffer_size(hardware, &buffer)

        var software: OpaquePointer?
        try check(snd_pcm_sw_params_malloc(&software), "snd_pcm_sw_params_malloc")
        defer { snd_pcm_sw_params_free(software) }
        try check(snd_pcm_sw_params_current(handle, software), "snd_pcm_sw_params_current")
        // Never more than half the buffer, or a small buffer would run over while `poll` still waits.
        let available = min(perMillisecond * snd_pcm_uframes_t(wish.availableMilliseconds), buffer / 2)
        try check(snd_pcm_sw_params_set_avail_min(handle, software, available), "snd_pcm_sw_params_set_avail_min")
        let start =
            wish.direction == .capture
            ? snd_pcm_uframes_t(Int32.max) : min(perMillisecond * snd_pcm_uframes_t(wish.startMilliseconds), buffer)
        try check(
            snd_pcm_sw_params_set_start_threshold(handle, software, start), "snd_pcm_sw_params_set_start_threshold")
        try check(
            snd_pcm_sw_params_set_tstamp_mode(handle, software, SND_PCM_TSTAMP_ENABLE),
            "snd_pcm_sw_params_set_tstamp_mode")
        // Plugins without a monotonic stamp are caught where stamps are read.
        snd_pcm_sw_params_set_tstamp_type(handle, software, SND_PCM_TSTAMP_TYPE_MONOTONIC)
        try check(snd_pcm_sw_params(handle, software), "snd_pcm_sw_params")
        return Parameters(
            hertz: Int(rate), channels: Int(channels), bits: bits, periodFrames: Int(period),
            bufferFrames: Int(buffer))
    }

    /// Fills `entries` for `poll`; `descriptors` of them.
    func fill(_ entries: UnsafeMutablePointer<pollfd>) {
        _ = snd_pcm_poll_descriptors(handle, entries, UInt32(descriptors))
    }

    /// What `poll` found, in this device's own sense; plugins count on being asked.
    func events(_ entries: UnsafeMutablePointer<pollfd>) -> UInt16 {
        var events: UInt16 = 0
        snd_pcm_poll_descriptors_revents(handle, entries, UInt32(descriptors), &events)
        return events
    }

    /// Frames that can be read or written now, and the steady-clock time of that count.
    /// - Returns: ALSA's negative code instead of frames when the device is in trouble.
    func available() -> (frames: Int, nanoseconds: Int64) {
        var frames: snd_pcm_uframes_t = 0
        var stamp = timespec()
        let code = snd_pcm_htimestamp(handle, &frames, &stamp)
        let now = SteadyClock.nanoseconds()
        if code < 0 { return (Int(code), now) }
        let time = Int64(stamp.tv_sec) * 1_000_000_000 + Int64(stamp.tv_nsec)
        // Some plugins stamp with another clock, or not at all.
        return (Int(frames), abs(now - time) < 1_000_000_000 ? time : now)
    }
}

/// A sound device as `execoractl audio devices` lists it.
public struct AudioDevice: Sendable, Equatable {
    public var name: String
    public var summary: String
    public var canCapture: Bool
    public var canPlay: Bool

    /// Every PCM that ALSA's configuration and cards offer. Blocks shortly; not for an audio thread.
    public static func all() -> [AudioDevice] {
        calsa_silence()
        var hints: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        guard snd_device_name_hint(-1, "pcm", &hints) == 0, let hints else { return [] }
        defer { snd_device_name_free_hint(hints) }
        func text(_ hint: UnsafeMutableRawPointer, _ key: String) -> String? {
            guard let value = snd_device_name_get_hint(hint, key) else { return nil }
            defer { free(value) }
            return String(cString: value)
        }
        var devices: [AudioDevice] = []
        var at = 0
        while let hint = hints[at] {
            at += 1
            guard let name = text(hint, "NAME"), name != "null" else { continue }
            let direction = text(hint, "IOID")
            let lines = (text(hint, "DESC") ?? "").split(separator: "\n")
            devices.append(
                AudioDevice(
                    name: name, summary: lines.joined(separator: ", "), canCapture: direction != "Output",
                    canPlay: direction != "Input"))
        }
        return devices
    }
}
