/// The `stt` part of the gateway's configuration: which providers, and the order they are tried in.
/// Read and checked by `GatewayConfiguration`.
struct SpeechConfiguration: Hashable, Sendable {
    var embedded: Embedded?
    var http: HTTP?
    var vendors: [VendorName: Vendor] = [:]
    /// Names of providers, first tried first; empty means the order of `names`.
    var order: [String] = []
    /// Millionths of a dollar a minute of audio, by provider.
    var prices: [String: Int64] = [:]

    /// All that can be named, in the order that holds when none is configured: vendors, the OpenAI form, this machine.
    static let names = VendorName.allCases.map(\.rawValue) + ["http", "embedded"]

    /// Those configured, in their order.
    var tried: [String] {
        let configured =
            vendors.keys.map(\.rawValue) + (http == nil ? [] : ["http"]) + (embedded == nil ? [] : ["embedded"])
        let all = order.isEmpty ? Self.names : order
        return all.filter { configured.contains($0) }
    }

    enum VendorName: String, Hashable, Sendable, CaseIterable {
        case deepgram, sarvam, elevenlabs
    }

    /// A Whisper model run by a child process on this machine.
    struct Embedded: Hashable, Sendable {
        /// The Python interpreter that has the pinned packages.
        var python: String
        /// The folder that holds `model.bin` and its companions.
        var model: String
    }

    /// A server in the form of OpenAI's `audio/transcriptions`.
    struct HTTP: Hashable, Sendable {
        /// Base URL; `/audio/transcriptions` is added.
        var url: String
        var model: String
        /// A 0600 file with the key, or `credential:NAME`; nil for a server that asks for none.
        var keyFile: String?
        /// Told to the server; nil lets it guess.
        var language: String?
        var timeoutMilliseconds: Int64 = Self.timeoutDefault

        static let timeoutDefault: Int64 = 8000
    }

    /// A vendor with a form of its own.
    struct Vendor: Hashable, Sendable {
        /// Base URL; nil is the vendor's own.
        var url: String?
        var model: String?
        var keyFile: String
        var language: String?
        var timeoutMilliseconds: Int64 = HTTP.timeoutDefault
    }

    /// A provider that lets more than one second and less than a turn's whole time pass.
    static let timeoutRange: ClosedRange<Int64> = 500...15_000
}
