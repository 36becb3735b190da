import Diagnostics
import Glibc
import JSONText
import Testing

@Suite struct StreamTests {
    private func open(_ bench: Bench) throws -> (RawClient, Subscription) {
        let raw = try bench.raw()
        _ = raw.line()
        raw.say(#"{"jsonrpc":"2.0","id":1,"method":"turn.watch"}"# + "\n")
        #expect(raw.line()?["result"]?["watching"] == "turn.watch")
        return (raw, try #require(bench.desk.state.withLock { $0.streams.last }))
    }

    @Test func `what happens is told in order, beside answers`() throws {
        let bench = try Bench()
        let (raw, stream) = try open(bench)
        for number in Int64(0)..<100 { stream.push(["seq": .integer(number)]) }
        for number in Int64(0)..<100 {
            let line = raw.line()
            #expect(line?["method"] == "turn.watch" && line?["params"]?["seq"]?.integer == number)
            #expect(line?["id"] == nil)
        }
        raw.say(#"{"jsonrpc":"2.0","id":2,"method":"echo"}"# + "\n")
        #expect(raw.line()?["id"] == 2)
    }

    @Test func `the client hands on items until it is told to stop`() throws {
        let bench = try Bench()
        let client = try bench.client()
        var seen: [Int64] = []
        // The handler opens the stream on the server's thread; the first item is pushed once it is there.
        let pusher = try PusherThread { [desk = bench.desk] in
            while desk.state.withLock({ $0.streams.isEmpty }) { usleep(1000) }
            for number in 1...3 { desk.state.withLock { $0.streams[0] }.push(["n": .integer(Int64(number))]) }
        }
        try client.watch("turn.watch") { item in
            seen.append(item["n"]?.integer ?? -1)
            return seen.count < 3
        }
        pusher.join()
        #expect(seen == [1, 2, 3])
    }

    @Test func `one stream a client`() throws {
        let bench = try Bench()
        let (raw, _) = try open(bench)
        raw.say(#"{"jsonrpc":"2.0","id":2,"method":"turn.watch"}"# + "\n")
        #expect(raw.line()?["error"]?["code"]?.integer == CallFault.busyCode)
    }

    @Test func `a client that left is forgotten`() throws {
        let bench = try Bench()
        let stream: Subscription
        do {
            let (raw, opened) = try open(bench)
            #expect(opened.isOpen)
            stream = opened
            _ = raw
        }
        #expect(bench.eventually { !stream.push(["a": 1]) })
        #expect(!stream.isOpen)
    }

    /// Never blocks audio: whoever pushes is never held up by a technician's terminal that stands still.
    @Test func `a client that does not read is dropped and counted, others are not`() throws {
        let bench = try Bench { $0.unsentBytesMax = 50_000 }
        let (sleeper, _) = try open(bench)
        let (reader, good) = try open(bench)
        let item: JSONValue = ["text": .string(String(repeating: "x", count: 10_000))]
        let streams = bench.desk.state.withLock { $0.streams }
        var pushes = 0
        while streams[0].isOpen, pushes < 1000 {
            streams[0].push(item)
            good.push(["n": 1])
            #expect(reader.line()?["params"]?["n"] == 1)
            pushes += 1
        }
        #expect(!streams[0].isOpen && pushes < 1000)
        #expect(bench.eventually { bench.server.counts.droppedSlow == 1 })
        #expect(good.isOpen)
        #expect(sleeper.isClosed)
    }
}

/// A thread that runs a closure.
final class PusherThread {
    private var thread: pthread_t = 0

    private final class Body {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    init(_ run: @escaping @Sendable () -> Void) throws {
        let context = Unmanaged.passRetained(Body(run)).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<Body>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context)
        guard code == 0 else { throw RawClient.Failure(code: code) }
    }

    func join() { pthread_join(thread, nil) }
}
