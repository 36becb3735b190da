import Glibc
import JSONText

// The parts of the configuration that name providers: `stt`, `llm`, `quotas`, `wake`.
//
//     "stt": {
//       "order": ["deepgram", "embedded"],   default: vendors, http, embedded
//       "deepgram":   {"key_file": "credential:deepgram", "model": "nova-3", "language": "hi", "url": "https://...",
//                      "timeout_ms": 8000, "micro_usd_per_minute": 4300},
//       "sarvam":     {"key_file": ..., ...}, "elevenlabs": {"key_file": ..., ...},
//       "http":       {"url": "https://api.example/v1", "model": "whisper-1", "key_file": ..., "language": "hi"},
//       "embedded":   {"python": "/opt/execora/venv/bin/python", "model": "/opt/execora/whisper-base"}
//     },
//     "llm": {"url": "https://api.example/v1", "model": "gpt-4o-mini", "key_file": ..., "form": "json_schema",
//             "timeout_ms": 4000, "ask_below": 900, "micro_usd_per_1000_tokens": 600},
//     "quotas": {"device_audio_seconds": 3600, "shop_audio_seconds": 14400, "shop_llm_tokens": 200000},   a day
//     "tts": {"order": ["sarvam", "command"],      default: sarvam, elevenlabs, openai, command
//             "sarvam": {"key_file": ..., "model": "bulbul:v3", "voice": "shubh", "language_key": "language_code"},
//             "elevenlabs": {...}, "openai": {...}, "command": ["espeak-ng", "-v", "{language}", "--stdout"]},
//     "archive": {"folder": "/var/lib/...", "retention_days": 30}, or
//                {"url": "https://s3.ap-south-1.amazonaws.com", "bucket": ..., "region": "ap-south-1", "key_file": ...},
//     "wake": {"models": "/usr/lib/execora/models", "cutoff": 900}
extension GatewayConfiguration {
    static func speech(_ form: inout ConfigurationForm, _ mistakes: inout [String]) -> SpeechConfiguration {
        var speech = SpeechConfiguration()
        guard var stt = form.object("stt") else {
            mistakes.append("stt: name at least one of \(SpeechConfiguration.names.joined(separator: ", "))")
            return speech
        }
        if var embedded = stt.object("embedded") {
            speech.embedded = .init(
                python: embedded.text("python", required: true) ?? "",
                model: embedded.text("model", required: true) ?? "")
            mistakes += embedded.mistakes()
        }
        if var http = stt.object("http") {
            speech.http = .init(
                url: http.text("url", required: true) ?? "", model: http.text("model", required: true) ?? "",
                keyFile: http.text("key_file"), language: http.text("language"),
                timeoutMilliseconds: http.number("timeout_ms", in: SpeechConfiguration.timeoutRange)
                    ?? SpeechConfiguration.HTTP.timeoutDefault)
            speech.prices["http"] = http.number("micro_usd_per_minute", in: 0...10_000_000)
            mistakes += http.mistakes()
        }
        for name in SpeechConfiguration.VendorName.allCases {
            guard var vendor = stt.object(name.rawValue) else { continue }
            speech.vendors[name] = .init(
                url: vendor.text("url"), model: vendor.text("model"),
                keyFile: vendor.text("key_file", required: true) ?? "", language: vendor.text("language"),
                timeoutMilliseconds: vendor.number("timeout_ms", in: SpeechConfiguration.timeoutRange)
                    ?? SpeechConfiguration.HTTP.timeoutDefault)
            speech.prices[name.rawValue] = vendor.number("micro_usd_per_minute", in: 0...10_000_000)
            mistakes += vendor.mistakes()
        }
        if let order = stt.texts("order") {
            speech.order = order
            for name in order where !SpeechConfiguration.names.contains(name) {
                mistakes.append(
                    "stt.order: \(name) is no provider; known: \(SpeechConfiguration.names.joined(separator: ", "))")
            }
            if Set(order).count < order.count { mistakes.append("stt.order: names a provider twice") }
        }
        mistakes += stt.mistakes()
        if speech.tried.isEmpty {
            mistakes.append("stt: name at least one of \(SpeechConfiguration.names.joined(separator: ", "))")
        }
        return speech
    }

    static func opinion(_ form: inout ConfigurationForm, _ mistakes: inout [String]) -> OpinionConfiguration? {
        guard var llm = form.object("llm") else { return nil }
        var told = OpinionConfiguration(
            url: llm.text("url", required: true) ?? "", model: llm.text("model", required: true) ?? "",
            keyFile: llm.text("key_file"))
        told.timeoutMilliseconds = llm.number("timeout_ms", in: 500...8000) ?? told.timeoutMilliseconds
        told.askBelowMilli = llm.number("ask_below", in: 0...1001) ?? told.askBelowMilli
        told.microsPerThousandTokens = llm.number("micro_usd_per_1000_tokens", in: 0...10_000_000) ?? 0
        if let name = llm.text("form") {
            if let form = OpinionConfiguration.Form(rawValue: name) {
                told.form = form
            } else {
                let known = OpinionConfiguration.Form.allCases.map(\.rawValue).joined(separator: ", ")
                mistakes.append("llm.form: must be one of \(known)")
            }
        }
        mistakes += llm.mistakes()
        return told
    }

    static func quotas(_ form: inout ConfigurationForm, _ mistakes: inout [String]) -> TurnQuota.Limits {
        var limits = TurnQuota.Limits()
        guard var quotas = form.object("quotas") else { return limits }
        limits.deviceAudioSeconds =
            quotas.number("device_audio_seconds", in: 60...86_400) ?? limits.deviceAudioSeconds
        limits.shopAudioSeconds = quotas.number("shop_audio_seconds", in: 60...864_000) ?? limits.shopAudioSeconds
        limits.shopTokens = quotas.number("shop_llm_tokens", in: 0...1_000_000_000) ?? limits.shopTokens
        mistakes += quotas.mistakes()
        return limits
    }

    static func wake(_ form: inout ConfigurationForm, _ mistakes: inout [String]) -> WakeVerifier.Configuration? {
        guard var wake = form.object("wake") else { return nil }
        let told = WakeVerifier.Configuration(
            models: wake.text("models", required: true) ?? "",
            cutoffMilli: wake.number("cutoff", in: 1...999) ?? WakeVerifier.cutoffDefaultMilli)
        mistakes += wake.mistakes()
        return told
    }

    static func voice(_ form: inout ConfigurationForm, _ mistakes: inout [String]) -> VoiceConfiguration {
        var voice = VoiceConfiguration()
        guard var tts = form.object("tts") else { return voice }
        for name in VoiceConfiguration.VendorName.allCases {
            guard var vendor = tts.object(name.rawValue) else { continue }
            voice.vendors[name] = .init(
                url: vendor.text("url"), model: vendor.text("model"), voice: vendor.text("voice"),
                keyFile: vendor.text("key_file", required: true) ?? "", languageKey: vendor.text("language_key"),
                timeoutMilliseconds: vendor.number("timeout_ms", in: SpeechConfiguration.timeoutRange) ?? 6000)
            mistakes += vendor.mistakes()
        }
        voice.command = tts.texts("command") ?? []
        voice.order = tts.texts("order") ?? []
        for name in voice.order where !VoiceConfiguration.names.contains(name) {
            mistakes.append(
                "tts.order: \(name) is no voice; known: \(VoiceConfiguration.names.joined(separator: ", "))")
        }
        mistakes += tts.mistakes()
        return voice
    }

    static func archive(_ form: inout ConfigurationForm, _ mistakes: inout [String]) -> ArchiveConfiguration? {
        guard var archive = form.object("archive") else { return nil }
        let folder = archive.text("folder")
        let (url, bucket) = (archive.text("url"), archive.text("bucket"))
        let (region, key) = (archive.text("region"), archive.text("key_file"))
        let days = archive.number("retention_days", in: 1...3650) ?? 30
        mistakes += archive.mistakes()
        if let folder, url == nil, bucket == nil {
            return ArchiveConfiguration(retentionDays: days, place: .folder(folder))
        }
        guard folder == nil, let url, let bucket, let key else {
            mistakes.append("archive: name either folder, or url, bucket, region and key_file")
            return nil
        }
        return ArchiveConfiguration(
            retentionDays: days,
            place: .bucket(.init(url: url, name: bucket, region: region ?? "us-east-1", keyFile: key)))
    }

    /// What this machine lacks for the providers.
    func speechProblems() -> [String] {
        var problems: [String] = []
        if let embedded = speech.embedded {
            if access(embedded.python, X_OK) != 0 {
                problems.append("stt.embedded.python: \(embedded.python) is no program that can be run")
            }
            if access(embedded.model + "/model.bin", R_OK) != 0 {
                problems.append("stt.embedded.model: \(embedded.model) holds no model.bin that can be read")
            }
        }
        func check(_ place: String, url: String?, keyFile: String?) {
            if let url, !url.hasPrefix("http://"), !url.hasPrefix("https://") {
                problems.append("\(place).url: \(url) begins with neither http:// nor https://")
            }
            guard let keyFile else { return }
            do { _ = try ProviderSecret(keyFile) } catch {
                problems.append(
                    "\(place).key_file: \(keyFile) must be a file that only its owner can read (0600): \(error)")
            }
        }
        if let http = speech.http { check("stt.http", url: http.url, keyFile: http.keyFile) }
        for (name, vendor) in speech.vendors.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            check("stt.\(name.rawValue)", url: vendor.url, keyFile: vendor.keyFile)
        }
        switch archive?.place {
        case .folder(let path)? where access(path, W_OK) != 0:
            problems.append("archive.folder: \(path) is no folder that can be written to")
        case .bucket(let bucket)?: check("archive", url: bucket.url, keyFile: bucket.keyFile)
        default: break
        }
        for (name, vendor) in voice.vendors.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            check("tts.\(name.rawValue)", url: vendor.url, keyFile: vendor.keyFile)
        }
        if let wake {
            do { _ = try WakeVerifier(wake) } catch { problems.append("wake.models: \(reason(error))") }
        }
        if let opinion { check("llm", url: opinion.url, keyFile: opinion.keyFile) }
        return problems
    }
}
