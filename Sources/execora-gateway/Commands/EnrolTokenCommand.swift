import ArgumentParser
import JSONText
import Seals

struct EnrolTokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enrol-token",
        abstract: "Make a one-time code with which one counter joins a shop.",
        discussion: "The shop is made when its name is new. The code is shown once and kept only as a hash.")

    @OptionGroup
    var gateway: FleetOptions

    @Option(help: "The shop's name, as operators call it; 1 to 80 characters.")
    var shop: String

    @Option(help: "How long the code is good: 30s, 15m, 24h or 7d at most.")
    var ttl = "15m"

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (1...80).contains(shop.count) else { throw ValidationError("--shop is 1 to 80 characters") }
        guard Self.duration(ttl) != nil else { throw ValidationError("--ttl is like 30s, 15m, 24h; 7d at most") }
    }

    func run() async throws {
        try await ending {
            let fleet = try await gateway.open().fleet
            let now = SystemClock.milliseconds()
            let life = Self.duration(ttl)!
            let made = try await fleet.newCode(shop: shop, life: life, nowMilliseconds: now)
            if json {
                print(
                    ([
                        "code": .string(made.code.description), "shop": .string(Hex.text(made.shop)),
                        "expires_ms": .integer(now + life.milliseconds),
                    ] as JSONValue).text)
            } else {
                print("\(made.code)\ngood for one counter of \(shop), for \(ttl)")
            }
        }
    }

    static func duration(_ text: String) -> Duration? {
        guard let unit = ["s": 1, "m": 60, "h": 3600, "d": 86_400][String(text.suffix(1))],
            let count = Int(text.dropLast()), (1...604_800).contains(count),
            case let duration = Duration.seconds(count * unit), duration <= EnrolCode.lifeMaximum
        else { return nil }
        return duration
    }
}

extension StateFolder {
    /// A folder that `init` has made.
    static func made(at path: String) throws(GatewayError) -> StateFolder {
        let folder = StateFolder(path: path)
        let problems = folder.problems()
        guard problems.isEmpty else { throw .configuration(problems) }
        return folder
    }
}
