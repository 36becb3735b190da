import Glibc
import Synchronization

/// Carries events from the capture thread to a thread of its own, where the owner's closure may log or block.
///
/// One sender. Sixty-four places; when they are full the event is dropped and counted. The places hold plain values
/// while sound flows (overruns, findings), so sending allocates nothing.
final class EventPost: @unchecked Sendable {
    // @unchecked: a place is written by the sender before `sent` is published and read by the thread behind it.
    static let eventsMax = 64

    private let places: UnsafeMutablePointer<CaptureEvent?>
    private let sent = Atomic<Int>(0)
    private let told = Atomic<Int>(0)
    private let isClosing = Atomic<Bool>(false)
    private let bell = WakeUp()
    private let dropped: @Sendable () -> Void
    private let onEvent: @Sendable (CaptureEvent) -> Void
    private let thread = Atomic<UInt>(0)

    init(onEvent: @escaping @Sendable (CaptureEvent) -> Void, dropped: @escaping @Sendable () -> Void) {
        places = .allocate(capacity: Self.eventsMax)
        places.initialize(repeating: nil, count: Self.eventsMax)
        self.onEvent = onEvent
        self.dropped = dropped
    }

    deinit { places.deinitialize(count: Self.eventsMax).deallocate() }

    func start() {
        isClosing.store(false, ordering: .relaxed)
        thread.store(UInt(AudioThread.start(name: "capture-events") { [self] in run() }), ordering: .relaxed)
    }

    func send(_ event: CaptureEvent) {
        let at = sent.load(ordering: .relaxed)
        guard at - told.load(ordering: .acquiring) < Self.eventsMax else { return dropped() }
        places[at % Self.eventsMax] = event
        sent.store(at + 1, ordering: .releasing)
        bell.signal()
    }

    /// Tells what is still waiting, then ends the thread.
    func close() {
        isClosing.store(true, ordering: .releasing)
        bell.signal()
        let thread = thread.exchange(0, ordering: .relaxed)
        if thread != 0 { pthread_join(pthread_t(thread), nil) }
    }

    private func run() {
        while true {
            let closing = isClosing.load(ordering: .acquiring)
            var at = told.load(ordering: .relaxed)
            while at < sent.load(ordering: .acquiring) {
                let event = places[at % Self.eventsMax]
                places[at % Self.eventsMax] = nil
                at += 1
                told.store(at, ordering: .releasing)
                if let event { onEvent(event) }
            }
            if closing { return }
            bell.wait(milliseconds: -1)
        }
    }
}
