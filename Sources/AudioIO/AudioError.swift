// AudioIO: a device's sound in, 16 kHz mono Int16 in a ring out; clips in, sound at the speaker out.
// The only room that imports ALSA, SpeexDSP's echo canceller and the kernel's GPIO lines. Threads it starts: "capture" (SCHED_FIFO 10 where granted), "capture-events" for
// its reports, "playback" (FIFO 9 where granted). The capture thread neither allocates, locks, logs nor awaits after
// it opened the device: it fills the ring and counts.
// Largest it holds: one ring of 131,072 samples (256 kB), eight clips waiting for the speaker, 64 events.

/// Why sound could not be had. `busy` and `alsa` are worth trying again; the others are the technician's to mend.
public enum AudioError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another program holds the device.
    case busy(device: String)
    /// No such device, or it was unplugged.
    case missing(device: String)
    /// The device does neither 16 kHz nor 48 kHz.
    case rateRefused(hertz: Int, nearest: Int)
    /// The device takes none of the sample formats this room knows (S16_LE, S32_LE).
    case formatRefused(device: String)
    /// The device is open and running and gives no sound.
    case stalled(milliseconds: Int)
    /// Any other code of ALSA, with the call that gave it.
    case alsa(code: Int32, operation: String)
    /// The kernel refuses a GPIO line; `errno`.
    case badLine(chip: String, line: Int, code: Int32)
    /// A file that cannot be read, written or understood.
    case badFile(path: String, reason: String)

    public var description: String {
        switch self {
        case .busy(let device): "\(device) is in use by another program"
        case .missing(let device): "\(device) is not there: check the plug and `execoractl audio devices`"
        case .rateRefused(let hertz, let nearest): "\(hertz) Hz refused; the nearest offered is \(nearest) Hz"
        case .formatRefused(let device): "\(device) offers no 16-bit or 32-bit little-endian samples"
        case .stalled(let milliseconds): "open, yet no sound for \(milliseconds) ms"
        case .alsa(let code, let operation): "\(operation) gave ALSA error \(code)"
        case .badLine(let chip, let line, let code):
            "\(chip) line \(line) cannot be used (error \(code)); check board.gpio_chip and its lines"
        case .badFile(let path, let reason): "\(path): \(reason)"
        }
    }
}
