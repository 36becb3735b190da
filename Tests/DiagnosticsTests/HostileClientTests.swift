import Diagnostics
import Glibc
import JSONText
import Testing

/// The socket is the one parser that can be reached with no certificate: whatever is said, the server stays, answers
/// others, and leaks no client.
@Suite struct HostileClientTests {
    private func stillAnswers(_ bench: Bench) throws {
        #expect(try bench.client().call("echo", ["still": "here"]) == ["still": "here"])
    }

    @Test(arguments: [
        "garbage", "{", "[]", "null", "3", #""text""#, #"{"jsonrpc":"2.0"}"#,
        #"{"jsonrpc":"1.0","id":1,"method":"echo"}"#,
        #"{"jsonrpc":"2.0","id":1,"method":""}"#, #"{"jsonrpc":"2.0","id":1,"method":7}"#,
        #"{"jsonrpc":"2.0","id":{},"method":"echo"}"#, #"{"jsonrpc":"2.0","id":1.5,"method":"echo"}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"echo","params":[1]}"#,
        #"[{"jsonrpc":"2.0","id":1,"method":"echo"}]"#, #"{"jsonrpc":"2.0","id":1,"method":"echo"}{}"#,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\u{1}\"}", String(repeating: "[", count: 60_000),
        String(repeating: #"{"a":"#, count: 10_000), #"{"jsonrpc":"2.0","id":1,"method":"turn.watch","params":3}"#,
    ])
    func `a line that is no call gets an error and the connection goes on`(line: String) throws {
        let bench = try Bench()
        let raw = try bench.raw()
        _ = raw.line()
        raw.say(line + "\n")
        let answer = raw.line()
        #expect(answer?["error"]?["code"]?.integer != nil)
        raw.say(#"{"jsonrpc":"2.0","id":9,"method":"echo"}"# + "\r\n\n")
        #expect(raw.line()?["id"] == 9)
        #expect(bench.server.counts.malformed == 1)
    }

    @Test func `a line of the longest length is taken, one byte more ends the connection`() throws {
        let bench = try Bench { $0.lineBytesMax = 1000 }
        let frame = #"{"jsonrpc":"2.0","id":1,"method":"echo","params":{"x":""}}"#.utf8.count
        for (extra, isTaken) in [(0, true), (1, false)] {
            let raw = try bench.raw()
            _ = raw.line()
            let filler = String(repeating: "x", count: 1000 - frame + extra)
            raw.say(#"{"jsonrpc":"2.0","id":1,"method":"echo","params":{"x":"\#(filler)"}}"# + "\n")
            if isTaken {
                #expect(raw.line()?["result"] != nil)
            } else {
                #expect(raw.line()?["error"]?["message"] == "a line is at most 1000 bytes")
                #expect(raw.isClosed)
            }
        }
        try stillAnswers(bench)
    }

    @Test func `a line without an end stops at the limit`() throws {
        let bench = try Bench()
        let raw = try bench.raw()
        let piece = [UInt8](repeating: 0x78, count: 4096)
        for _ in 0..<64 where raw.say(piece) {}
        #expect(raw.isClosed)
        try stillAnswers(bench)
    }

    @Test func `half a line is waited for only so long`() throws {
        let bench = try Bench { $0.halfLineMilliseconds = 50 }
        let raw = try bench.raw()
        _ = raw.line()
        raw.say(#"{"jsonrpc":"2.0","#)
        #expect(raw.isClosed)
        let told = bench.eventually {
            bench.desk.state.withLock {
                $0.events.contains { if case .left(_, .halfLine) = $0 { true } else { false } }
            }
        }
        #expect(told)
    }

    @Test func `a silent client is let go, one that waits for an answer is not`() throws {
        let bench = try Bench { $0.silenceMilliseconds = 50 }
        let waiting = try bench.raw()
        _ = waiting.line()
        waiting.say(#"{"jsonrpc":"2.0","id":1,"method":"hold"}"# + "\n")
        #expect(bench.eventually { bench.desk.state.withLock { $0.held.count == 1 } })
        let silent = try bench.raw()
        #expect(silent.isClosed)
        bench.desk.state.withLock { $0.held[0] }.reply.succeed("late")
        #expect(waiting.line()?["result"] == "late")
    }

    @Test func `a client too many is told so, and comes in when one has left`() throws {
        let bench = try Bench { $0.clientsMax = 3 }
        var inside = try (0..<3).map { _ in try bench.raw() }
        for client in inside { #expect(client.line()?["hello"] != nil) }
        let outside = try bench.raw()
        #expect(outside.line()?["error"]?["code"]?.integer == CallFault.busyCode)
        #expect(outside.isClosed)
        // The technicians' socket has places of its own.
        try stillAnswers(bench)
        inside.removeLast()
        var entered = false
        _ = bench.eventually {
            guard let client = try? bench.raw() else { return false }
            entered = client.line()?["hello"] != nil
            return entered
        }
        #expect(entered)
    }

    @Test func `two hundred clients come and go and none is kept`() throws {
        let bench = try Bench()
        for number in 0..<200 {
            guard let raw = try? bench.raw() else { continue }
            if number % 3 == 0 { raw.say(#"{"jsonrpc":"2.0","id":1,"method":"hold"}"# + "\n") }
            if number % 3 == 1 { raw.say([0xFF, 0x00, 0x0A, 0x7B]) }
        }
        try stillAnswers(bench)
        let gone = bench.eventually {
            bench.desk.state.withLock { state in
                let came = state.events.count { if case .connected = $0 { true } else { false } }
                let left = state.events.count {
                    if case .left(_, let reason) = $0 { reason != .full } else { false }
                }
                return came == left
            }
        }
        #expect(gone)
    }

    @Test(arguments: 1...8)
    func `random bytes do no harm`(seed: UInt64) throws {
        let bench = try Bench()
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ limit: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(limit))
        }
        let call = Array(#"{"jsonrpc":"2.0","id":1,"method":"echo","params":{"a":[1,"b",null]}}"#.utf8) + [0x0A]
        var raw = try bench.raw()
        for _ in 0..<300 {
            var bytes = call
            for _ in 0..<random(6) { bytes[random(bytes.count)] = UInt8(random(256)) }
            if random(4) == 0 { bytes = (0..<random(200)).map { _ in UInt8(random(256)) } + [0x0A] }
            if !raw.say(bytes) { raw = try bench.raw() }
        }
        try stillAnswers(bench)
    }
}
