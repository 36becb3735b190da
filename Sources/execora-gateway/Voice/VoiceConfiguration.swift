/// The `tts` part of the gateway's configuration: voices, and the order they are tried in.
struct VoiceConfiguration: Hashable, Sendable {
    var vendors: [VendorName: Vendor] = [:]
    /// A program that reads text on standard input and writes a WAV file to standard output; "{language}" in an argument
    /// becomes "hi" or "en".
    var command: [String] = []
    var order: [String] = []

    static let names = VendorName.allCases.map(\.rawValue) + ["command"]

    var tried: [String] {
        let configured = vendors.keys.map(\.rawValue) + (command.isEmpty ? [] : ["command"])
        return (order.isEmpty ? Self.names : order).filter { configured.contains($0) }
    }

    enum VendorName: String, Hashable, Sendable, CaseIterable {
        case sarvam, elevenlabs, openai
    }

    struct Vendor: Hashable, Sendable {
        var url: String?
        var model: String?
        /// Speaker or voice id; the vendor's own default where nil.
        var voice: String?
        var keyFile: String
        /// Sarvam's older servers call it `target_language_code`.
        var languageKey: String?
        var timeoutMilliseconds: Int64 = 6000
    }
}
