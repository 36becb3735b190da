import ArgumentParser
import Logging
import Seals

struct ArchiveCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive-check",
        abstract: "Keep, list and remove one small object in the archive that the configuration names.")

    @Option(help: "The gateway's configuration, a JSON file.")
    var config: String

    func run() async throws {
        try await ending {
            guard let archive = try GatewayConfiguration.read(path: config).archive else {
                throw GatewayError.configuration(["archive: none is configured"])
            }
            let store = try Archive.store(archive)
            let (shop, bytes) = ("check-" + Hex.text(Randomness.bytes(6)), Array("OggS".utf8))
            // A name that signatures must escape, as a server sees it.
            let key = "\(shop)/2026-01-01/a b+c.ogg"
            try await store.put(bytes, key: key)
            guard try await store.keys(prefix: shop + "/") == [key] else {
                throw GatewayError.state(problem: "what was kept is not listed", hint: "check the archive's rights")
            }
            try await store.remove(key: key)
            guard try await store.keys(prefix: shop + "/").isEmpty else {
                throw GatewayError.state(problem: "what was removed is listed", hint: "check the archive's rights")
            }
            print("the archive keeps, lists and removes")
        }
    }
}
