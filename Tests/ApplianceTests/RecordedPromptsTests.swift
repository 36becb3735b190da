import AudioIO
import Conversation
import Glibc
import Ledger
import Synchronization
import Testing

@testable import execorad

/// Answers that are always the same are heard without the voice program; what is damaged or of another voice is not used.
@Suite final class RecordedPromptsTests {
    /// A voice program that can be taken away, and a folder for the file.
    private let folder: String
    private let voice: Voice
    private let lines = ["Samajh nahi aaya, phir se boliye.", "Theek hai, kuch nahi badla.", "Likh liya."]
    private var path: String { folder + "/prompts.opus" }

    init() throws {
        signal(SIGPIPE, SIG_IGN)
        var random = SystemRandomNumberGenerator()
        folder = "/tmp/execora-prompts-" + String(random.next(), radix: 16)
        try #require(FileBytes.makeFolder(folder))
        try #require(system("ln -s \"$(command -v espeak-ng)\" \(folder)/voice") == 0)
        voice = Voice(program: folder + "/voice", name: "hi", wordsPerMinute: 150)
    }

    deinit { _ = system("rm -rf \(folder)") }

    private func loseTheVoice() { unlink(folder + "/voice") }

    private func record() throws -> PromptRecorder.Outcome {
        try PromptRecorder.record(lines, by: voice, to: path)
    }

    @Test func `a recording is as long as what the voice said, and nearly the same`() throws {
        #expect(try record().recorded == 3)
        for line in lines {
            let said = try voice.samples(saying: voice.readable(line))
            let heard = try #require(try RecordedPrompts(path: path).samples(of: voice.readable(line), by: voice))
            #expect(heard.count == said.count)
            // Opus keeps no waveform to the bit; where the loud parts are and how loud is kept.
            for at in stride(from: 0, to: said.count - 1_600, by: 1_600) {
                let (mine, theirs) = (level(heard[at..<at + 1_600]), level(said[at..<at + 1_600]))
                #expect(abs(mine - theirs) < 0.25 * theirs + 150, "\(line) at \(at): \(mine), \(theirs)")
            }
        }
    }

    private func level(_ samples: ArraySlice<Int16>) -> Double {
        (samples.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(samples.count)).squareRoot()
    }

    @Test func `another text, voice or speed is not found`() throws {
        _ = try record()
        let prompts = RecordedPrompts(path: path)
        let text = voice.readable(lines[0])
        #expect(try prompts.samples(of: text + " ", by: voice) == nil)
        for change in [\Voice.program, \Voice.name] {
            var other = voice
            other[keyPath: change] += "x"
            #expect(try prompts.samples(of: text, by: other) == nil)
        }
        var faster = voice
        faster.wordsPerMinute = 151
        #expect(try prompts.samples(of: text, by: faster) == nil)
        #expect(try RecordedPrompts(path: path + "x").samples(of: text, by: voice) == nil)
    }

    @Test func `recording again makes what is new and keeps what is whole`() throws {
        _ = try record()
        loseTheVoice()
        #expect(try record() == .init(recorded: 0, kept: 3, bytes: FileBytes.read(path, bytesMax: 1 << 20)!.count))
        #expect(throws: PromptRecorder.Fault.voice(.notStarted(code: ENOENT))) {
            try PromptRecorder.record(lines + ["Naya."], by: voice, to: path)
        }
        #expect(try RecordedPrompts(path: path).samples(of: voice.readable(lines[2]), by: voice) != nil)
    }

    @Test func `a damaged file never gives another sound, and is mended`() throws {
        _ = try record()
        let file = try #require(FileBytes.read(path, bytesMax: 1 << 20))
        let text = voice.readable(lines[1])
        let whole = try RecordedPrompts(path: path).samples(of: text, by: voice)
        var refused = 0
        for place in stride(from: 0, to: file.count, by: 13) {
            var damaged = file
            damaged[place] ^= 0x10
            try #require(FileBytes.keep(damaged, at: path))
            do throws(RecordedPrompts.Fault) {
                #expect(try RecordedPrompts(path: path).samples(of: text, by: voice) == whole, "byte \(place)")
            } catch { refused += 1 }
        }
        // A third of the file is this recording.
        #expect(refused > file.count / 13 / 5)
        try #require(FileBytes.keep(Array(file[..<(file.count / 2)]), at: path))
        #expect(try record().recorded > 0)
        #expect(try RecordedPrompts(path: path).samples(of: text, by: voice) == whole)
    }

    @Test func `every fixed line of every language fits into the file`() {
        let lines = PromptRecorder.fixedLines()
        #expect(lines.count > 120 && lines.count <= RecordedPrompts.promptsMax)
        #expect(lines.contains("Samajh nahi aaya, phir se boliye."))
        #expect(lines.contains { $0.hasPrefix("No network.") })
        #expect(lines.allSatisfy { !$0.contains("{") && $0.utf8.count < Voice.textBytesMax })
    }

    // What is heard -------------------------------------------------------------------------------------------

    private func fact() -> Committed {
        Committed(
            event: ULID(high: 0, low: 0), epoch: 1, seq: 1, hash: [], outcome: .done, isReplay: false)
    }

    /// Says answers into a WAV file.
    /// - Returns: the sound of all of them, and whether the ear was opened.
    private func heard(_ answers: [Answer]) throws -> (samples: [Int16], opened: Bool) {
        let desk = Desk(name: "voice", jobsMax: Mouth.waitingMax)
        let sound = folder + "/heard.wav"
        let speaker = Speaker(
            configuration: .init(backend: .file(path: sound)), clock: Moment.monotonicMilliseconds
        ) { _ in }
        let opened = Atomic<Bool>(false)
        let mouth = Mouth(
            desk: desk, voice: voice, recorded: RecordedPrompts(path: path), speaker: speaker,
            register: TurnRegister(), log: EventLog(level: .error, format: .text), hasEarcons: true,
            doors: .init(
                ear: { if $0 == .expectAnswer { opened.store(true, ordering: .releasing) } }, lamp: { _ in },
                language: { "hi-en" }))
        desk.start()
        speaker.start()
        for answer in answers { mouth.say(ULID(high: 0, low: 0), answer) }
        let end = Moment.monotonicMilliseconds() + 30_000
        while mouth.isSpeaking, Moment.monotonicMilliseconds() < end { usleep(2_000) }
        #expect(!mouth.isSpeaking)
        speaker.stop()
        desk.close()
        return (try WAVReader.samples(path: sound, secondsMax: 60), opened.load(ordering: .acquiring))
    }

    @Test func `without the voice program a fixed answer is heard, and its question is waited for`() throws {
        _ = try record()
        loseTheVoice()
        let answer = Answer(intent: nil, code: nil, speech: lines[0], opensEar: true, earcon: .question)
        let (samples, opened) = try heard([answer])
        #expect(
            samples.elementsEqual(
                try #require(try RecordedPrompts(path: path).samples(of: voice.readable(lines[0]), by: voice))))
        #expect(opened)
    }

    /// Whoever hears a failure says it again, and the book has it twice.
    @Test func `without the voice program what was written does not sound like a failure`() throws {
        let written = Answer(
            intent: nil, code: "OK", speech: "Rahul ka 200 rupaye udhaar likh diya.", committed: [fact()])
        let asked = Answer(intent: nil, code: nil, speech: "Rahul ka kya?", opensEar: true, earcon: .question)
        let instead = Voiceless.allCases.map { $0.text(language: "hi-en") }
        _ = try PromptRecorder.record(instead, by: voice, to: path)
        loseTheVoice()
        let prompts = RecordedPrompts(path: path)
        let recorded = try instead.map { try #require(try prompts.samples(of: voice.readable($0), by: voice)) }
        #expect(try heard([written]).samples == recorded[0])
        // A question that could not be asked opens no ear.
        let (samples, opened) = try heard([asked])
        #expect(samples == recorded[1] && !opened)
        // Nothing recorded either: tones.
        unlink(path)
        #expect(try heard([written]).samples == Earcon.done.samples())
        #expect(try heard([asked]).samples == Earcon.error.samples())
    }
}
