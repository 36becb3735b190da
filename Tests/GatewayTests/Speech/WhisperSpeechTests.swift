import Conversation
import Glibc
import Logging
import Synchronization
import Testing

@testable import execora_gateway

/// The embedded recognition, real: the Python child, the pinned model, spoken clips. One child serves the tests that only
/// ask; those that harm it start their own. All in turn, for the model takes both cores.
@Suite(.serialized)
struct WhisperSpeechTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func with(
        _ speech: WhisperSpeech, _ body: @Sendable (WhisperSpeech) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await speech.run() }
            defer { group.cancelAll() }
            try await Self.until { speech.isRunning }
            try await body(speech)
        }
    }

    private static func until(_ limit: Duration = .seconds(120), _ holds: () async -> Bool) async throws {
        let end = ContinuousClock.now + limit
        while await !holds() {
            try #require(ContinuousClock.now < end, "waited \(limit) in vain")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Protects the main path: a clip with the wake word in front comes back as its words, from the pinned model.
    /// And the two ways of inventing words: out of silence, out of noise.
    @Test func `speech becomes its words, silence and noise become none`() async throws {
        let speech = WhisperSpeech(SpokenClip.embedded, answerTimeMax: .seconds(120), logger: Self.quiet)
        try await with(speech) { speech in
            let wake = try SpokenClip.say("okay nabu", voice: "rms")
            for (line, words) in [
                ("Rahul gave two hundred rupees cash", ["rahul", "gave", "200", "rupees", "cash"]),
                ("check Priya's balance", ["check", "priya's", "balance"]),
                ("Suresh paid two hundred rupees", ["suresh", "paid", "200", "rupees"]),
                ("yes, confirm", ["yes", "confirm"]),
            ] {
                let clip = SpokenClip.of(wake + (try SpokenClip.say(line)), wakePhrase: "okay nabu")
                let transcripts = try await speech.transcribe(clip)
                let best = try #require(transcripts.first, "\(line): nothing heard")
                #expect(best.text.lowercased().split { $0 == " " || $0 == "." || $0 == "," }.map(String.init) == words)
                #expect(best.confidenceMilli > 500)
                #expect(best.model == WhisperModel.sha256)
                #expect(best.engine == "whisper-base-int8")
                #expect(best.language == "en")
                // Two opinions in a shop that mixes its languages.
                #expect(transcripts.map(\.language) == ["en", "hi"])
            }
            #expect(await speech.isReady)
            for nothing in [
                [Int16](repeating: 0, count: 48_000), SpokenClip.hiss(peak: 20, seconds: 3),
                SpokenClip.hiss(peak: 300, seconds: 3), SpokenClip.hiss(peak: 5000, seconds: 3), wake, [],
            ] {
                let phrase: String? = nothing == wake ? "okay nabu" : nil
                let heard = try await speech.transcribe(SpokenClip.of(nothing, wakePhrase: phrase))
                #expect(heard.isEmpty, "heard \(heard.map(\.text))")
            }
        }
        #expect(speech.servicePID == nil)
        await #expect(throws: SpeechError.busy) { try await speech.transcribe(SpokenClip.of([1, 2, 3])) }
    }

    /// The second reading: the sentence of the command grammar, with the shop's own names, where the free one only comes
    /// near; a voter of its own. What is no command stands never first.
    @Test func `a clip of a known shop is also read by the command grammar, chatter is not believed`() async throws {
        let speech = WhisperSpeech(SpokenClip.embedded, answerTimeMax: .seconds(120), logger: Self.quiet)
        try await with(speech) { speech in
            func heard(_ line: String) async throws -> [TurnReply.Transcript] {
                var clip = SpokenClip.of(try SpokenClip.say(line))
                clip.vocabulary = ["Rahul Sharma", "Priya Patel", "Kavita Desai", "Milk", "Paneer", "Rice"]
                clip.people = 3
                return try await speech.transcribe(clip)
            }
            let balance = try await heard("check Priya's balance")
            #expect(balance.first?.engine == WhisperModel.closedEngine)
            #expect(balance.first?.text == "check Priya's balance")
            #expect(balance.first?.confidenceMilli ?? 0 > 650)
            #expect(balance.contains { $0.engine == WhisperModel.engine })
            // However sure it is of it, the sentence is told in the grammar's spelling.
            let bill = try await heard("make a bill of half kilo paneer for Kavita and send it")
            let closed = bill.first { $0.engine == WhisperModel.closedEngine }
            #expect(closed?.text == "make a bill of half kilo paneer for Kavita and send it")
            for line in ["the train to the city was very late again", "my uncle lives near the old railway bridge"] {
                let chatter = try await heard(line)
                #expect(chatter.first?.engine == WhisperModel.engine, "\(chatter.map(\.text))")
            }
        }
    }

    /// A clip whose service dies fails at once and cleanly; the next one finds a new service.
    @Test func `a killed service fails its clip and is started again`() async throws {
        let speech = WhisperSpeech(SpokenClip.embedded, answerTimeMax: .seconds(120), logger: Self.quiet)
        try await with(speech) { speech in
            try await Self.until { await speech.isReady }
            let first = try #require(speech.servicePID)
            // Stopped, so that the clip is surely in its hands when it dies.
            kill(first, SIGSTOP)
            let clip = SpokenClip.of(try SpokenClip.say("check Priya's balance"))
            let answer = Task { try await speech.transcribe(clip) }
            try await Task.sleep(for: .milliseconds(100))
            kill(first, SIGKILL)
            await #expect(throws: SpeechError.broken(reason: "the speech service ended")) { try await answer.value }

            // This one waits in the queue until the new service is ready.
            #expect(try await speech.transcribe(clip).first?.text == "Check Priya's balance.")
            let second = try #require(speech.servicePID)
            #expect(second != first)

            // Idle this time.
            kill(second, SIGKILL)
            try await Self.until { speech.servicePID.map { $0 != second } ?? false }
            #expect(try await speech.transcribe(clip).first?.text == "Check Priya's balance.")
        }
    }

    /// Fail closed: a model that is not the pinned one is never loaded, and the reason reaches the one who asks.
    @Test func `a model with another hash is refused by name`() async throws {
        let folder = SpokenClip.folder + "/model"
        mkdir(folder, 0o700)
        for name in ["model.bin", "config.json", "tokenizer.json", "vocabulary.txt"] {
            symlink("\(SpokenClip.embedded.model)/\(name)", "\(folder)/\(name)")
        }
        // One byte more than the pinned file.
        unlink("\(folder)/config.json")
        let bytes = try SpokenClip.contents("\(SpokenClip.embedded.model)/config.json") + [0x0A]
        let file = try #require(fopen("\(folder)/config.json", "wb"))
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        fclose(file)

        let speech = WhisperSpeech(
            .init(python: SpokenClip.embedded.python, model: folder), answerTimeMax: .seconds(60), logger: Self.quiet)
        try await with(speech) { speech in
            let refusal = SpeechError.refused(
                reason: "config.json is not the pinned file; run board/models/fetch-whisper")
            await #expect(throws: refusal) { try await speech.transcribe(SpokenClip.of([1, 2, 3])) }
            #expect(await !speech.isReady)
        }
    }

    @Test func `a Python that is not there is refused by name`() async throws {
        let speech = WhisperSpeech(
            .init(python: "/nowhere/python", model: "/nowhere"), answerTimeMax: .seconds(60), logger: Self.quiet)
        try await with(speech) { speech in
            await #expect(throws: SpeechError.refused(reason: "/nowhere/python does not start: error 2")) {
                try await speech.transcribe(SpokenClip.of([1, 2, 3]))
            }
        }
    }

    /// A service that hangs costs its clip the deadline, and is replaced.
    @Test func `a hanging service costs its clips the deadline and is replaced`() async throws {
        let speech = WhisperSpeech(SpokenClip.embedded, answerTimeMax: .seconds(2), logger: Self.quiet)
        try await with(speech) { speech in
            try await Self.until { await speech.isReady }
            let first = try #require(speech.servicePID)
            kill(first, SIGSTOP)
            let clip = SpokenClip.of(SpokenClip.hiss(peak: 300, seconds: 1))
            let outcomes = await withTaskGroup(of: SpeechError?.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        do {
                            _ = try await speech.transcribe(clip)
                            return nil
                        } catch { return error as? SpeechError }
                    }
                }
                return await group.reduce(into: [SpeechError?]()) { $0.append($1) }
            }
            // Those over the queue's maximum are busy at once, the others wait for their deadline; how many of each
            // depends on how fast the tasks start.
            let timedOut = outcomes.count { $0 == .timedOut }
            #expect(timedOut > 0, "\(outcomes)")
            #expect(timedOut + outcomes.count { $0 == .busy } == 12, "\(outcomes)")
            try await Self.until { speech.servicePID.map { $0 != first } ?? false }
            try await Self.until { await speech.isReady }
        }
    }

    /// The gateway may be killed outright: the service reads the end of its input and goes.
    @Test func `the service ends when its input ends`() async throws {
        let child = try WhisperChild.start(
            python: SpokenClip.embedded.python, model: SpokenClip.embedded.model, files: WhisperModel.files)
        let link = WhisperLink(socket: child.socket, bell: SpeechBell())
        let watch = WhisperLink.Watch(nextLook: { nil }, look: {})
        let by = ContinuousClock.now + .seconds(120)
        let program = WhisperFraming.program(
            grammar: PackageResources.command_grammar_txt, closed: PackageResources.closed_grammar_py,
            service: PackageResources.whisper_service_py)
        try link.send(program, by: by, watch: watch)
        let greeting = WhisperFraming.greeting(try link.answer(by: by, watch: watch))
        guard case .ready? = greeting else { throw SpeechError.broken(reason: "\(greeting as Any)") }
        shutdown(child.socket, Int32(SHUT_WR))
        // It closes its own end by exiting, which reads as the end here.
        #expect(throws: SpeechError.broken(reason: "the speech service ended")) {
            try link.answer(by: by, watch: watch)
        }
    }
}

/// The rules of waiting, without threads or time.
struct WhisperQueueTests {
    private func job(_ id: UInt64, due seconds: Int, from now: ContinuousClock.Instant) -> WhisperQueue<Int>.Job {
        .init(id: id, clip: SpokenClip.of([1]), deadline: now + .seconds(seconds), waiter: Int(id))
    }

    @Test func `clips leave in order, expire and are dropped by name`() {
        let now = ContinuousClock.now
        var queue = WhisperQueue<Int>()
        for id in 1...4 as ClosedRange<UInt64> { queue.add(job(id, due: Int(10 - id), from: now)) }
        #expect(queue.earliestDeadline == now + .seconds(6))
        #expect(queue.next()?.id == 1)
        #expect(queue.drop(id: 3)?.waiter == 3)
        #expect(queue.drop(id: 1) == nil)
        #expect(queue.expire(at: now + .seconds(7)).map(\.id) == [4])
        #expect(queue.empty().map(\.id) == [2])
        #expect(queue.next() == nil)
        #expect(queue.earliestDeadline == nil)
    }

    @Test func `the queue is full at its maximum`() {
        let now = ContinuousClock.now
        var queue = WhisperQueue<Int>()
        for id in 0..<UInt64(WhisperQueue<Int>.jobsMax) {
            #expect(!queue.isFull)
            queue.add(job(id, due: 1, from: now))
        }
        #expect(queue.isFull)
    }

    @Test func `pauses double to half a minute and begin anew after good service`() {
        var backoff = WhisperBackoff()
        let pauses = (0..<9).map { _ in backoff.pause().milliseconds }
        #expect(pauses == [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
        backoff.provedGood()
        #expect(backoff.pause() == .milliseconds(250))
    }
}

/// The pins stand twice, in Swift for the running gateway and in the list that the fetch script checks.
@Test func `the pinned hashes equal those of the fetch script`() throws {
    let root = #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 }
    let list = String(decoding: try SpokenClip.contents("\(root)/board/models/whisper.sha256"), as: UTF8.self)
    let listed = list.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(Set(listed.map { "\($0[1]) \($0[0])" }) == Set(WhisperModel.files.map { "\($0.name) \($0.sha256)" }))
}
