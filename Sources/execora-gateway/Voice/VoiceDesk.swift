import Logging
import Synchronization

/// Voices tried in their order, behind a cache: the counter's answers repeat ("likh diya"), and each is paid for once.
final class VoiceDesk: Sendable {
    /// Bytes of audio kept, oldest use dropped first: about a thousand lines.
    static let cacheBytesMax = 32 << 20

    private struct Key: Hashable {
        var voice: String
        var line: SpokenLine
    }

    private struct State {
        var kept: [Key: (audio: SpokenAudio, used: UInt64)] = [:]
        var bytes = 0
        var uses: UInt64 = 0
        var breakers: [CircuitBreaker]
    }

    private let voices: [any TextToSpeech]
    private let metrics: GatewayMetrics
    private let logger: Logger
    private let state: Mutex<State>

    init(_ voices: [any TextToSpeech], metrics: GatewayMetrics, logger: Logger) {
        self.voices = voices
        self.metrics = metrics
        self.logger = logger
        state = Mutex(State(breakers: voices.map { _ in CircuitBreaker() }))
    }

    /// - Throws: the last voice's `SpeechError` when none could speak.
    func speak(_ line: SpokenLine, shop: String) async throws -> SpokenAudio {
        // What the best voice once said is better than what a lesser one would say now.
        for voice in voices {
            if let audio = kept(Key(voice: voice.voice, line: line)) {
                metrics.count("execora_voice_total", labels: [("provider", voice.name), ("from", "cache")])
                return audio
            }
        }
        var last: any Error = SpeechError.busy
        for (place, voice) in voices.enumerated() {
            guard state.withLock({ $0.breakers[place].admits(at: .now) }) else { continue }
            do {
                let audio = try await voice.speak(line)
                guard !audio.bytes.isEmpty, audio.bytes.count <= SpokenAudio.bytesMax else {
                    throw SpeechError.broken(reason: "no audio, or too much")
                }
                state.withLock { $0.breakers[place].succeeded() }
                keep(audio, Key(voice: voice.voice, line: line))
                metrics.count("execora_voice_total", labels: [("provider", voice.name), ("from", "provider")])
                metrics.count(
                    "execora_voice_characters_total", labels: [("provider", voice.name), ("shop", shop)],
                    by: Int64(line.text.count))
                return audio
            } catch let error as CancellationError {
                state.withLock { $0.breakers[place].abandoned() }
                throw error
            } catch {
                last = error
                let reason = error as? SpeechError
                state.withLock {
                    if case .refused = reason {
                        $0.breakers[place].failed(refused: true, at: .now)
                    } else {
                        $0.breakers[place].failed(at: .now)
                    }
                }
                metrics.count("execora_provider_failures_total", labels: [("provider", voice.name)])
                logger.warning(
                    "a voice failed, trying the next",
                    metadata: [
                        "provider": "\(voice.name)", "reason": "\(reason.map { "\($0)" } ?? "\(type(of: error))")",
                    ])
            }
        }
        throw last
    }

    private func kept(_ key: Key) -> SpokenAudio? {
        state.withLock { state in
            guard let found = state.kept[key] else { return nil }
            state.uses += 1
            state.kept[key] = (found.audio, state.uses)
            return found.audio
        }
    }

    private func keep(_ audio: SpokenAudio, _ key: Key) {
        state.withLock { state in
            state.uses += 1
            if let old = state.kept.updateValue((audio, state.uses), forKey: key) {
                state.bytes -= old.audio.bytes.count
            }
            state.bytes += audio.bytes.count
            while state.bytes > Self.cacheBytesMax, let oldest = state.kept.min(by: { $0.value.used < $1.value.used }) {
                state.kept[oldest.key] = nil
                state.bytes -= oldest.value.audio.bytes.count
            }
        }
    }
}

/// What the configuration asks for, put together; nil when it names no voice.
enum Voices {
    /// - Throws: `SpeechError.refused` when a key file cannot be read.
    static func make(
        from configuration: VoiceConfiguration, metrics: GatewayMetrics, logger: Logger
    ) throws -> VoiceDesk? {
        var voices: [any TextToSpeech] = []
        for name in configuration.tried {
            guard let vendor = VoiceConfiguration.VendorName(rawValue: name), let told = configuration.vendors[vendor]
            else {
                voices.append(CommandVoice(configuration.command))
                continue
            }
            let header: ProviderCall.KeyHeader =
                switch vendor {
                case .sarvam: .named("api-subscription-key")
                case .elevenlabs: .named("xi-api-key")
                case .openai: .bearer
                }
            let call = ProviderCall(
                secret: try ProviderSecret(told.keyFile), keyHeader: header,
                answerTimeMax: .milliseconds(told.timeoutMilliseconds),
                answerBytesMax: SpokenAudio.bytesMax * 4 / 3 + 1024,
                logger: logger)
            switch vendor {
            case .sarvam: voices.append(SarvamVoice(told, call: call))
            case .elevenlabs: voices.append(ElevenLabsVoice(told, call: call))
            case .openai: voices.append(OpenAIVoice(told, call: call))
            }
        }
        return voices.isEmpty ? nil : VoiceDesk(voices, metrics: metrics, logger: logger)
    }
}
