import Conversation
import OpusCoding
import Seals

/// Records what is always said in the same words, in the voice of the configuration, into the one file that
/// `RecordedPrompts` reads. What is there already and whole is kept, so that after a change of one line one line is made.
enum PromptRecorder {
    enum Fault: Error, Equatable {
        /// The voice could say nothing; the old file stays.
        case voice(Voice.Failure)
        case opus(OpusError)
        /// More than the file may hold: `RecordedPrompts` would refuse it.
        case tooLarge
        case notWritten
    }

    struct Outcome: Equatable {
        var recorded = 0
        var kept = 0
        var bytes = 0
    }

    /// Every line without a field, of every language: the packs', and those of the house.
    static func fixedLines() -> [String] {
        let languages = Grammar.builtIn.spokenLanguages.sorted()
        let house = languages.flatMap { language in
            Clerk.Line.allCases.map { $0.text(language: language) }
                + Voiceless.allCases.map { $0.text(language: language) }
        }
        return languages.flatMap { Grammar.builtIn.fixedLines(language: $0) } + house
    }

    /// Blocking: about 40 ms a line that is new, ten times that on a small board.
    static func record(_ lines: [String], by voice: Voice, to path: String) throws(Fault) -> Outcome {
        let old = RecordedPrompts(path: path)
        var outcome = Outcome()
        var recordings: [(key: RecordedPrompts.Key, ogg: [UInt8])] = []
        var seen: Set<RecordedPrompts.Key> = []
        for line in lines {
            let text = voice.readable(line)
            let key = RecordedPrompts.Key(text: text, voice: voice)
            guard seen.insert(key).inserted else { continue }
            if let ogg = wholeOgg(key, of: old) {
                recordings.append((key, ogg))
                outcome.kept += 1
                continue
            }
            let samples: [Int16]
            do throws(Voice.Failure) { samples = try voice.samples(saying: text) } catch { throw .voice(error) }
            do throws(OpusError) {
                recordings.append((key, try encoded(samples, serial: UInt32(recordings.count + 1))))
            } catch { throw .opus(error) }
            outcome.recorded += 1
        }
        let file = try file(of: recordings)
        outcome.bytes = file.count
        if outcome.recorded > 0 || !isTheSame(file, path) {
            guard FileBytes.keep(file, at: path) else { throw .notWritten }
        }
        return outcome
    }

    private static func wholeOgg(_ key: RecordedPrompts.Key, of old: RecordedPrompts) -> [UInt8]? {
        // A damaged old file is made anew like a missing one.
        guard let ogg = (try? old.ogg(key)) ?? nil, (try? RecordedPrompts.samples(inOgg: ogg)) != nil else {
            return nil
        }
        return ogg
    }

    private static func isTheSame(_ file: [UInt8], _ path: String) -> Bool {
        FileBytes.read(path, bytesMax: RecordedPrompts.fileBytesMax) == file
    }

    private static func encoded(_ samples: [Int16], serial: UInt32) throws(OpusError) -> [UInt8] {
        var encoder = try OpusSpeechEncoder.open()
        let frame = OpusSpeechEncoder.frameSamples
        // What the decoder lags behind has to be pushed out as well.
        let length = (samples.count + encoder.lookaheadSamples + frame - 1) / frame * frame
        let padded = samples + [Int16](repeating: 0, count: length - samples.count)
        var packets: [[UInt8]] = []
        for at in stride(from: 0, to: length, by: frame) {
            packets.append(try encoder.encode(Array(padded[at..<at + frame])))
        }
        return try OggOpusWriter.file(
            of: packets, head: OggOpusHead(preSkip48k: encoder.lookaheadSamples * 3), serial: serial,
            inputSamples: samples.count)
    }

    private static func file(of recordings: [(key: RecordedPrompts.Key, ogg: [UInt8])]) throws(Fault) -> [UInt8] {
        var head =
            RecordedPrompts.magic + RecordedPrompts.bytes(Int(RecordedPrompts.version))
            + RecordedPrompts.bytes(recordings.count)
        var place = head.count + recordings.count * RecordedPrompts.entryBytes + RecordedPrompts.sealBytes
        for (key, ogg) in recordings {
            guard ogg.count <= RecordedPrompts.promptBytesMax else { throw .tooLarge }
            head += key.bytes + RecordedPrompts.bytes(place) + RecordedPrompts.bytes(ogg.count)
            place += ogg.count
        }
        guard recordings.count <= RecordedPrompts.promptsMax, place <= RecordedPrompts.fileBytesMax else {
            throw .tooLarge
        }
        let seal = SHA256.digest(head).prefix(RecordedPrompts.sealBytes)
        return recordings.reduce(into: head + seal) { $0 += $1.ogg }
    }
}

/// `execorad record-prompts`.
enum RecordPromptsCommand {
    static func run(_ configuration: ApplianceConfiguration) -> Int32 {
        guard FileBytes.makeFolder(configuration.stateFolder) else {
            complain("execorad: \(configuration.stateFolder) cannot be made")
            return 1
        }
        do throws(PromptRecorder.Fault) {
            let outcome = try PromptRecorder.record(
                PromptRecorder.fixedLines(), by: Voice(configuration), to: configuration.promptsPath)
            print(
                "execorad: \(outcome.recorded) prompts recorded, \(outcome.kept) kept, \(outcome.bytes) bytes in \(configuration.promptsPath)"
            )
            return 0
        } catch {
            complain(
                "execorad: the prompts could not be recorded (\(error)); is \(configuration.voiceProgram) installed?")
            return 1
        }
    }
}
