import Diagnostics
import Glibc
import JSONText
import Testing

@Suite struct CallTests {
    @Test func `a call is answered and the greeting tells api, version, role and limits`() throws {
        let bench = try Bench()
        let client = try bench.client()
        #expect(client.hello["api"] == 1 && client.hello["version"] == "test" && client.hello["role"] == "tech")
        #expect(client.hello["limits"]?["line_bytes"] == 65_536)
        #expect(try client.call("echo", ["name": "राहुल", "n": 3]) == ["name": "राहुल", "n": 3])
        #expect(try client.call("echo") == .object([]))
    }

    @Test func `the kernel says who asks`() throws {
        let bench = try Bench()
        let told = try bench.client().call("peer")
        #expect(told["pid"]?.integer == Int64(getpid()) && told["uid"]?.integer == Int64(getuid()))
        #expect(told["role"] == "tech")
        #expect(
            bench.eventually {
                bench.desk.state.withLock { state in
                    state.events.contains {
                        if case .called("peer", let peer) = $0 { peer.pid == getpid() } else { false }
                    }
                }
            })
    }

    /// Reading and changing are separate rights: the socket decides, not the caller.
    @Test func `a socket grants its role and no more`() throws {
        let bench = try Bench()
        let view = try DiagnosticsClient.connect(path: bench.viewPath)
        #expect(view.hello["role"] == "view")
        #expect(throws: fault(CallFault.notAllowedCode, "'mute.set' needs the role tech")) {
            try view.call("mute.set", ["on": true])
        }
        let control = try bench.client()
        #expect(
            throws: fault(
                CallFault.notAllowedCode,
                "'identity.reset' needs the role service: show a token")
        ) {
            try control.call("identity.reset")
        }
        #expect(bench.server.counts.refused == 2)
        // The handler never saw them.
        let called = bench.desk.state.withLock { $0.events.contains { if case .called = $0 { true } else { false } } }
        #expect(!called)
    }

    private func fault(_ code: Int64, _ message: String) -> DiagnosticsClientError {
        .fault(CallFault(code: code, message: message))
    }

    @Test func `what can be asked is listed with its role`() throws {
        let bench = try Bench()
        let listed = try #require(try bench.client().call("methods")["methods"]?.array)
        #expect(listed.count == Bench.methods.count + 2)
        let watch = listed.first { $0["name"] == "turn.watch" }
        #expect(watch?["form"] == "stream" && watch?["role"] == "view")
    }

    @Test func `an unknown method, a refusal and a forgotten call each have their fault`() throws {
        let bench = try Bench()
        let client = try bench.client()
        #expect(throws: fault(CallFault.unknownMethodCode, "no such method")) { try client.call("format.disk") }
        #expect(throws: fault(CallFault.refusedCode, "not now")) { try client.call("refuse") }
        #expect(throws: fault(-32_603, "no answer was given")) { try client.call("forget") }
    }

    @Test func `an answer may come later, from another thread, and out of order`() throws {
        let bench = try Bench()
        let raw = try bench.raw()
        _ = raw.line()
        raw.say(
            #"{"jsonrpc":"2.0","id":1,"method":"hold"}"# + "\n" + #"{"jsonrpc":"2.0","id":"two","method":"hold"}"#
                + "\n")
        #expect(bench.eventually { bench.desk.state.withLock { $0.held.count == 2 } })
        let held = bench.desk.state.withLock { $0.held }
        held[1].reply.succeed("b")
        held[0].reply.succeed("a")
        held[0].reply.succeed("again")
        #expect(raw.line() == ["jsonrpc": "2.0", "id": "two", "result": "b"])
        #expect(raw.line() == ["jsonrpc": "2.0", "id": 1, "result": "a"])
        raw.say(#"{"jsonrpc":"2.0","id":3,"method":"echo"}"# + "\n")
        #expect(raw.line()?["id"] == 3, "the first answer counts")
    }

    @Test func `many calls in one piece are all answered, in order`() throws {
        let bench = try Bench()
        let raw = try bench.raw()
        _ = raw.line()
        raw.say((1...200).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"echo"}"# + "\n" }.joined())
        for id in 1...200 { #expect(raw.line()?["id"]?.integer == Int64(id)) }
    }

    @Test func `a call too many is told so and the others go on`() throws {
        let bench = try Bench { $0.callsMax = 2 }
        let raw = try bench.raw()
        _ = raw.line()
        raw.say((1...3).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"hold"}"# + "\n" }.joined())
        let busy = raw.line()
        #expect(busy?["id"] == 3 && busy?["error"]?["code"]?.integer == CallFault.busyCode)
        for call in bench.desk.state.withLock({ $0.held }) { call.reply.succeed("done") }
        #expect(raw.line()?["id"] == 1)
        #expect(raw.line()?["id"] == 2)
    }

    @Test func `a notification is carried out and not answered`() throws {
        let bench = try Bench()
        let raw = try bench.raw()
        _ = raw.line()
        raw.say(#"{"jsonrpc":"2.0","method":"echo"}"# + "\n" + #"{"jsonrpc":"2.0","id":1,"method":"echo"}"# + "\n")
        #expect(raw.line()?["id"] == 1)
        #expect(bench.server.counts.calls == 2)
    }

    @Test func `an answer too long is a fault, a long one arrives whole`() throws {
        let bench = try Bench { $0.answerBytesMax = 300_000 }
        let client = try bench.client()
        #expect(try client.call("big", ["bytes": 299_000]).string?.utf8.count == 299_000)
        #expect(throws: fault(-32_603, "the answer is too long")) { try client.call("big", ["bytes": 300_000]) }
        #expect(try client.call("echo", ["a": 1]) == ["a": 1])
    }

    @Test func `a client waits no longer than it said`() throws {
        let bench = try Bench()
        let client = try bench.client()
        #expect(throws: DiagnosticsClientError.timedOut) { try client.call("hold", timeoutMilliseconds: 30) }
    }

    @Test func `no daemon is told with its reason`() {
        #expect(throws: DiagnosticsClientError.unreachable(path: "/tmp/execora-none.sock", code: ENOENT)) {
            _ = try DiagnosticsClient.connect(path: "/tmp/execora-none.sock")
        }
    }

    @Test func `a daemon that ends lets its clients go and takes its sockets away`() throws {
        let bench = try Bench()
        let raw = try bench.raw()
        _ = raw.line()
        bench.server.close()
        #expect(raw.isClosed)
        #expect(access(bench.viewPath, F_OK) != 0 && access(bench.controlPath, F_OK) != 0)
        bench.server.close()
    }
}
