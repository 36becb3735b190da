import CSpeexDSP

/// Takes the counter's own voice out of what the microphone heard: SpeexDSP's adaptive filter (MDF; J.-M. Valin, "On
/// adjusting the learning rate in frequency domain echo cancellation with double-talk", IEEE TASLP 2007).
///
/// Only for boards whose microphone and loudspeaker run on one clock: with two the filter never settles. Owned by one
/// thread; nothing allocates after `init`.
public struct EchoCanceller: ~Copyable {
    /// 20 ms: what the library is tuned for at 16 kHz.
    public static let frameSamples = 320
    /// 192 ms of room: a box on a counter hears itself from a wall within 30 m of way.
    public static let tailSamples = 3_072

    private let state: OpaquePointer

    public init() {
        guard let state = speex_echo_state_init(Int32(Self.frameSamples), Int32(Self.tailSamples)) else {
            preconditionFailure("no memory for an echo canceller")
        }
        self.state = state
        var hertz: Int32 = 16_000
        speex_echo_ctl(state, SPEEX_ECHO_SET_SAMPLING_RATE, &hertz)
    }

    deinit { speex_echo_state_destroy(state) }

    /// - Parameters:
    ///   - heard: `frameSamples` of the microphone.
    ///   - played: `frameSamples` of the reference, of the same time or up to `tailSamples` earlier than their echo.
    ///   - clean: `frameSamples` of room for what is left; may not overlap the others.
    public mutating func cancel(
        heard: UnsafePointer<Int16>, played: UnsafePointer<Int16>, clean: UnsafeMutablePointer<Int16>
    ) {
        speex_echo_cancellation(state, heard, played, clean)
    }

    /// Forgets the room: the microphone was closed, or sound was lost.
    public mutating func reset() { speex_echo_state_reset(state) }
}
