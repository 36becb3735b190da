import AudioIO
import Diagnostics
import JSONText
import Synchronization

/// The streams that come ten times a second. The desk sleeps while nobody watches.
final class Gauges: Sendable {
    enum Kind: String, Sendable { case meter, wake, voice }

    static let everyMilliseconds: Int64 = 100

    private struct State {
        var watchers: [(kind: Kind, subscription: Subscription)] = []
        var isRunning = false
        var clippedBefore: UInt64 = 0
    }

    private let state = Mutex(State())
    private let desk: Desk
    private let house: House
    private let microphone: Microphone

    init(desk: Desk, house: House, microphone: Microphone) {
        self.desk = desk
        self.house = house
        self.microphone = microphone
    }

    func add(_ kind: Kind, _ subscription: Subscription) {
        let mustStart = state.withLock { state in
            state.watchers.append((kind, subscription))
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if mustStart { desk.post { [self] in look() } }
    }

    private func look() {
        let clipped = microphone.counters.clippedSamples
        let (watchers, newly) = state.withLock { state in
            state.watchers.removeAll { !$0.subscription.isOpen }
            defer { state.clippedBefore = clipped }
            return (state.watchers, clipped - min(clipped, state.clippedBefore))
        }
        var items: [Kind: JSONValue] = [:]
        for (kind, subscription) in watchers {
            let item = items[kind] ?? reading(kind, clipped: newly)
            items[kind] = item
            subscription.push(item)
        }
        let goesOn = state.withLock { state in
            state.isRunning = !state.watchers.isEmpty
            return state.isRunning
        }
        if goesOn { desk.post(afterMilliseconds: Self.everyMilliseconds) { [self] in look() } }
    }

    private func reading(_ kind: Kind, clipped: UInt64) -> JSONValue {
        switch kind {
        case .meter:
            let level = microphone.level
            return [
                "rms": .integer(Int64(level.rms)), "peak": .integer(Int64(level.peak)),
                "floor": .integer(Int64(level.floor)), "clipped": .integer(Int64(clamping: clipped)),
                "flat": .bool(microphone.isFlat), "snr_db": .integer(Self.decibels(level.rms, over: level.floor)),
                "mic": .string(CounterDesk.word(microphone.state)),
            ]
        case .wake:
            return [
                "score": .integer(house.ear.score.load(ordering: .relaxed)),
                "cutoff": .integer(house.cutoffMilli.load(ordering: .relaxed)),
                "in_turn": .bool(house.ear.isInTurn), "speaking": .bool(house.mouth.isSpeaking),
                "scored": .integer(Int64(clamping: house.ear.scored.load(ordering: .relaxed))),
            ]
        case .voice:
            return [
                "voice": .integer(house.ear.voice.load(ordering: .relaxed)), "in_turn": .bool(house.ear.isInTurn),
                "rms": .integer(Int64(microphone.level.rms)),
            ]
        }
    }

    /// 20 log10 of a ratio, whole decibels, 0 to 90, without a mathematics library: 6.02 dB a doubling.
    static func decibels(_ value: Int, over floor: Int) -> Int64 {
        guard value > max(floor, 1) else { return 0 }
        var ratio = Double(value) / Double(max(floor, 1))
        var sum = 0.0
        while ratio >= 2 {
            ratio /= 2
            sum += 6.0206
        }
        // ln(1 + x) by its first terms is within 0.3 dB here.
        let x = ratio - 1
        return Int64((sum + 8.6859 * (x - x * x / 2 + x * x * x / 3 - x * x * x * x / 8)).rounded())
    }
}
