import AsyncHTTPClient
import JSONText
import Ledger

/// ElevenLabs: `POST /v1/text-to-speech/{voice}`, raw audio back. Source: elevenlabs/elevenlabs-python @54e5899.
struct ElevenLabsVoice: TextToSpeech {
    private let url: String
    private let model: String
    private let speaker: String
    private let call: ProviderCall

    init(_ told: VoiceConfiguration.Vendor, call: ProviderCall) {
        speaker = told.voice ?? "21m00Tcm4TlvDq8ikWAM"
        model = told.model ?? "eleven_flash_v2_5"
        url =
            (told.url ?? "https://api.elevenlabs.io").withoutSlash + "/v1/text-to-speech/" + URLQuery.escaped(speaker)
            + "?output_format=opus_48000_32"
        self.call = call
    }

    var name: String { "elevenlabs" }
    var voice: String { "elevenlabs/\(model)/\(speaker)" }

    func speak(_ line: SpokenLine) async throws -> SpokenAudio {
        let body: JSONValue = [
            "text": .string(line.text), "model_id": .string(model),
            "language_code": line.language == "en" ? "en" : "hi", "seed": 1,
        ]
        let bytes = try await call.send(.post(url, contentType: "application/json", body.bytes), turn: ULID.none)
        return SpokenAudio(contentType: "audio/ogg", bytes: bytes)
    }
}

/// Sarvam AI: `POST /text-to-speech`, base64 audio in JSON back. Source: docs.sarvam.ai, `sarvamai` 0.1.39.
struct SarvamVoice: TextToSpeech {
    private let url: String
    private let model: String
    private let speaker: String
    private let languageKey: String
    private let call: ProviderCall

    init(_ told: VoiceConfiguration.Vendor, call: ProviderCall) {
        url = (told.url ?? "https://api.sarvam.ai").withoutSlash + "/text-to-speech"
        model = told.model ?? "bulbul:v3"
        speaker = told.voice ?? "shubh"
        languageKey = told.languageKey ?? "language_code"
        self.call = call
    }

    var name: String { "sarvam" }
    var voice: String { "sarvam/\(model)/\(speaker)" }

    func speak(_ line: SpokenLine) async throws -> SpokenAudio {
        let body = JSONValue.object([
            .init("text", .string(line.text)), .init(languageKey, line.language == "en" ? "en-IN" : "hi-IN"),
            .init("speaker", .string(speaker)), .init("model", .string(model)), .init("speech_sample_rate", 24_000),
            .init("output_audio_codec", "opus"),
        ])
        let answer = try await call.send(.post(url, contentType: "application/json", body.bytes), turn: ULID.none)
        guard let text = (try? JSONValue(parsing: answer))?["audios"]?[0]?.string, let bytes = AudioBase64.bytes(text)
        else { throw SpeechError.broken(reason: "answer without audio") }
        return SpokenAudio(contentType: "audio/ogg", bytes: bytes)
    }
}

/// OpenAI and what speaks so: `POST /audio/speech`, raw audio back. Source: openai/openai-openapi 2.3.0.
struct OpenAIVoice: TextToSpeech {
    private let url: String
    private let model: String
    private let speaker: String
    private let call: ProviderCall

    init(_ told: VoiceConfiguration.Vendor, call: ProviderCall) {
        url = (told.url ?? "https://api.openai.com/v1").withoutSlash + "/audio/speech"
        model = told.model ?? "gpt-4o-mini-tts"
        speaker = told.voice ?? "alloy"
        self.call = call
    }

    var name: String { "openai" }
    var voice: String { "openai/\(model)/\(speaker)" }

    func speak(_ line: SpokenLine) async throws -> SpokenAudio {
        let body: JSONValue = [
            "model": .string(model), "input": .string(line.text), "voice": .string(speaker), "response_format": "opus",
        ]
        let bytes = try await call.send(.post(url, contentType: "application/json", body.bytes), turn: ULID.none)
        return SpokenAudio(contentType: "audio/ogg", bytes: bytes)
    }
}

extension ULID {
    /// Where a request belongs to no turn.
    static let none = ULID(high: 0, low: 0)
}

/// RFC 4648, strict: no white space, padding as it must be.
enum AudioBase64 {
    static func bytes(_ text: String) -> [UInt8]? {
        let symbols = Array(text.utf8)
        guard symbols.count % 4 == 0 else { return nil }
        let padding = symbols.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(symbols.count / 4 * 3)
        var held: UInt32 = 0
        for (place, symbol) in symbols.dropLast(padding).enumerated() {
            guard let value = value(symbol) else { return nil }
            held = held << 6 | value
            if place % 4 == 3 {
                out += [UInt8(truncatingIfNeeded: held >> 16), UInt8(truncatingIfNeeded: held >> 8)]
                out.append(UInt8(truncatingIfNeeded: held))
                held = 0
            }
        }
        switch padding {
        case 1: out += [UInt8(truncatingIfNeeded: held >> 10), UInt8(truncatingIfNeeded: held >> 2)]
        case 2: out.append(UInt8(truncatingIfNeeded: held >> 4))
        default: break
        }
        return out
    }

    private static func value(_ symbol: UInt8) -> UInt32? {
        switch symbol {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(symbol) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(symbol) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(symbol) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
