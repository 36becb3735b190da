/// What providers were used for, by shop: audio, tokens and what they cost by the configured prices. Shops stand in the
/// metrics as the first eight hex digits of a hash, never by name.
struct ProviderMeter: Sendable {
    /// Millionths of a dollar a minute of audio (speech) or a thousand tokens (language model); nil is free or unknown.
    struct Prices: Hashable, Sendable {
        var microsPerAudioMinute: [String: Int64] = [:]
        var microsPerThousandTokens: Int64 = 0
    }

    var metrics = GatewayMetrics()
    var prices = Prices()

    func heard(by provider: String, _ clip: SpeechClip) {
        let milliseconds = Int64(clip.samples.count) / 16
        let labels = [("provider", provider), ("shop", clip.shopHash)]
        metrics.count("execora_provider_audio_milliseconds_total", labels: labels, by: milliseconds)
        let micros = milliseconds * (prices.microsPerAudioMinute[provider] ?? 0) / 60_000
        if micros > 0 { metrics.count("execora_cost_micro_usd_total", labels: labels, by: micros) }
    }

    func failed(_ provider: String) {
        metrics.count("execora_provider_failures_total", labels: [("provider", provider)])
    }

    func tokens(_ count: Int64, of provider: String, shop: String) {
        let labels = [("provider", provider), ("shop", shop)]
        metrics.count("execora_provider_tokens_total", labels: labels, by: count)
        let micros = count * prices.microsPerThousandTokens / 1000
        if micros > 0 { metrics.count("execora_cost_micro_usd_total", labels: labels, by: micros) }
    }
}
