import ArgumentParser

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Make or bring up to date the tables of every PostgreSQL in the configuration.",
        discussion: """
            Run it before the new gateway starts; several at once wait for each other. The embedded store needs none. \
            A first run also fixes the order of the instances: each remembers which it is.
            """)

    @Option(help: "The gateway's configuration, a JSON file.")
    var config: String

    func run() async throws {
        try await ending {
            let places = try GatewayConfiguration.read(path: config).store.places
            if places.isEmpty { print("the store is embedded; serve makes and migrates it") }
            for place in places {
                let (from, to) = try PostgresMigration.run(place)
                print(from == to ? "\(place.label) has format \(to)" : "\(place.label): format \(from) -> \(to)")
            }
        }
    }
}
