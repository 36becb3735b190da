import ArgumentParser
import Seals

struct NewEpochCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new-epoch",
        abstract: "Let a device begin a new chain: its book has another history than the one held here.",
        discussion: """
            The owner's word is needed: what the device wrote in the old epoch and never sent is not in it. The old \
            chain stays as it is, its receipts stay good. A device that lost its book needs none: execorad restore.
            """)

    @OptionGroup
    var gateway: FleetOptions

    @Option(help: "The device's id: 32 hex digits, as heads shows it.")
    var device: String

    func validate() throws {
        guard Hex.bytes(device)?.count == 16 else { throw ValidationError("--device is 32 hex digits") }
    }

    func run() async throws {
        try await ending {
            let epoch = try await gateway.open().fleet.openEpoch(
                device: Hex.bytes(device)!, nowMilliseconds: SystemClock.milliseconds())
            guard let epoch else {
                complain("no device \(device) is enrolled here")
                throw ExitCode(1)
            }
            print("device \(device) may begin epoch \(epoch)")
        }
    }
}
