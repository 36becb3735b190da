import ArgumentParser
import Seals

struct CheckpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Sign where every device's chain stands, now; serve does it every night.",
        discussion: """
            Prints the C2SP signed note. Publish it where a shopkeeper's friend can read it, or let a witness sign it \
            too: who holds it cannot be told of another past. May run beside serve.
            """)

    @OptionGroup
    var gateway: FleetOptions

    func run() async throws {
        try await ending {
            let (folder, fleet) = try await gateway.open()
            let made = try CheckpointFolder(folder).make(
                try await fleet.heads(), key: try folder.receiptKey(), nowMilliseconds: SystemClock.milliseconds())
            guard let made else {
                complain("no device is enrolled")
                throw ExitCode(1)
            }
            print(made.note, terminator: "")
        }
    }
}
