import ArgumentParser
import Glibc

/// Which gateway a command works on: its configuration, or the state folder of one with the embedded store.
struct FleetOptions: ParsableArguments {
    @Option(help: "The gateway's state folder, where the store is embedded.")
    var state: String?

    @Option(help: "The gateway's configuration, a JSON file.")
    var config: String?

    func validate() throws {
        guard (state == nil) != (config == nil) else { throw ValidationError("give --state or --config") }
    }

    /// The state folder, whole, and the stores.
    func open() async throws -> (folder: StateFolder, fleet: Fleet) {
        if let config {
            let configuration = try GatewayConfiguration.read(path: config)
            return (try StateFolder.made(at: configuration.state), try await configuration.fleet())
        }
        let folder = try StateFolder.made(at: state ?? "")
        return (folder, try .embedded(await FleetStore.open(path: folder.database), path: folder.database))
    }
}

/// The same of a gateway that is serving, for the commands that come to it as made-up counters.
struct ServingOptions: ParsableArguments {
    @OptionGroup
    var fleet: FleetOptions

    @Option(help: "The device port that serve printed.")
    var devicePort: Int

    @Option(help: "The enrol port that serve printed.")
    var enrolPort: Int
}
