import Glibc
import JSONText
import Seals

/// What `serve` reads from its JSON file. Every mistake is reported at once; unknown keys are refused, not guessed at.
///
///     {
///       "state": "/var/lib/execora-gateway",
///       "device_address": "0.0.0.0",     default 127.0.0.1
///       "device_port": 8443,             default 8443; 0 takes any free one
///       "enrol_address": "0.0.0.0",      default 127.0.0.1
///       "enrol_port": 8444,
///       "operations_address": "127.0.0.1",
///       "operations_port": 9464,
///       "stt": {"embedded": {"python": "/opt/execora/venv/bin/python", "model": "/opt/execora/whisper-base"}},
///       "store": {                       without it: gateway.sqlite in the state folder
///         "postgres": ["host=/run/postgresql dbname=execora passfile=/etc/execora/pgpass"],
///         "lanes": 2                     connections that take batches, each instance, 1 to 16
///       },
///       "readmit": true,                 only after a store was lost: devices it does not know are taken at their
///                                        certificate's word; revoke again first whom you revoked
///       "sync_burst": 60,                batches of one device at once, 1 to 10,000
///       "sync_per_minute": 30            and then a minute, 1 to 10,000
///     }
///
/// `stt` and the other parts about providers are told in full in `GatewayConfiguration+Speech.swift`.
struct GatewayConfiguration: Hashable, Sendable {
    struct Address: Hashable, Sendable {
        var host: String
        var port: Int
    }

    struct Listeners: Hashable, Sendable {
        var device = Address(host: "127.0.0.1", port: 8443)
        var enrol = Address(host: "127.0.0.1", port: 8444)
        var operations = Address(host: "127.0.0.1", port: 9464)
    }

    var state: String
    var listeners = Listeners()
    var speech = SpeechConfiguration()
    var opinion: OpinionConfiguration?
    var quotas = TurnQuota.Limits()
    var wake: WakeVerifier.Configuration?
    var voice = VoiceConfiguration()
    /// Nil keeps no recording.
    var archive: ArchiveConfiguration?
    var store = StoreConfiguration()
    var isReadmitting = false
    var syncBurst: Int64 = 60
    var syncPerMinute: Int64 = 30

    static let fileBytesMax = 64 * 1024

    /// - Throws: `.configuration` with all mistakes, or `.file`.
    static func read(path: String) throws(GatewayError) -> GatewayConfiguration {
        let bytes: [UInt8]
        do { bytes = try PrivateFile.read(path, secret: false) } catch {
            throw .configuration(["\(path): cannot be read (\(error))"])
        }
        let json: JSONValue
        do { json = try JSONValue(parsing: bytes) } catch { throw .configuration(["\(path): not JSON: \(error)"]) }
        return try GatewayConfiguration(json: json)
    }

    init(json: JSONValue) throws(GatewayError) {
        var form = ConfigurationForm(json, path: "")
        var mistakes: [String] = []
        state = form.text("state", required: true) ?? ""
        for (name, place) in [
            ("device", \Listeners.device), ("enrol", \.enrol), ("operations", \.operations),
        ] as [(String, WritableKeyPath<Listeners, Address>)] {
            if let host = form.text("\(name)_address") { listeners[keyPath: place].host = host }
            if let port = form.number("\(name)_port", in: 0...65_535) { listeners[keyPath: place].port = Int(port) }
        }
        syncBurst = form.number("sync_burst", in: 1...10_000) ?? syncBurst
        syncPerMinute = form.number("sync_per_minute", in: 1...10_000) ?? syncPerMinute

        speech = Self.speech(&form, &mistakes)
        opinion = Self.opinion(&form, &mistakes)
        quotas = Self.quotas(&form, &mistakes)
        wake = Self.wake(&form, &mistakes)
        voice = Self.voice(&form, &mistakes)
        archive = Self.archive(&form, &mistakes)
        isReadmitting = form.flag("readmit") ?? false
        if var form = form.object("store") { mistakes += store.read(&form) }
        mistakes += form.mistakes()
        guard mistakes.isEmpty else { throw .configuration(mistakes) }
    }

    /// The stores that it names, opened.
    func fleet() async throws -> Fleet {
        let folder = StateFolder(path: state)
        if store.postgres.isEmpty {
            return try .embedded(await FleetStore.open(path: folder.database), path: folder.database)
        }
        return try await .postgres(store.places, lanes: store.lanes)
    }

    /// What the machine lacks for this configuration: folders, programs, files. Empty when `serve` may start.
    func problems() -> [String] {
        var problems = StateFolder(path: state).problems()
        problems += speechProblems()
        return problems
    }
}

/// Reads one JSON object of the configuration and collects what is wrong with it.
struct ConfigurationForm {
    private let members: [JSONValue.Member]
    private let path: String
    private var known: Set<String> = []
    private var wrong: [String] = []

    init(_ json: JSONValue, path: String) {
        members = json.members ?? []
        self.path = path
        if json.members == nil { wrong.append("\(path.isEmpty ? "the configuration" : path): must be an object") }
    }

    mutating func text(_ key: String, required: Bool = false) -> String? {
        switch value(key) {
        case nil:
            if required { wrong.append("\(name(key)): is missing") }
            return nil
        case .string(let text) where !text.isEmpty: return text
        default:
            wrong.append("\(name(key)): must be a text that is not empty")
            return nil
        }
    }

    mutating func number(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        switch value(key) {
        case nil: return nil
        case .integer(let number) where range.contains(number): return number
        default:
            wrong.append("\(name(key)): must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
    }

    mutating func flag(_ key: String) -> Bool? {
        switch value(key) {
        case nil: return nil
        case .bool(let flag): return flag
        default:
            wrong.append("\(name(key)): must be true or false")
            return nil
        }
    }

    mutating func texts(_ key: String, required: Bool = false) -> [String]? {
        guard let value = value(key) else {
            if required { wrong.append("\(name(key)): is missing") }
            return nil
        }
        if case .array(let items) = value, !items.isEmpty {
            let texts = items.compactMap(\.string)
            if texts.count == items.count { return texts }
        }
        wrong.append("\(name(key)): must be a list of texts that is not empty")
        return nil
    }

    /// Something wrong that only the caller sees.
    mutating func complain(_ key: String, _ what: String) { wrong.append("\(name(key)): \(what)") }

    mutating func object(_ key: String) -> ConfigurationForm? {
        value(key).map { ConfigurationForm($0, path: name(key)) }
    }

    /// All mistakes, unknown and repeated keys among them. Last of all calls.
    func mistakes() -> [String] {
        var seen: Set<String> = []
        var more: [String] = []
        for member in members {
            if !known.contains(member.name) {
                more.append("\(name(member.name)): unknown key; known here: \(known.sorted().joined(separator: ", "))")
            } else if !seen.insert(member.name).inserted {
                more.append("\(name(member.name)): given twice")
            }
        }
        return wrong + more
    }

    private mutating func value(_ key: String) -> JSONValue? {
        known.insert(key)
        return members.first { $0.name == key }?.value
    }

    private func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
