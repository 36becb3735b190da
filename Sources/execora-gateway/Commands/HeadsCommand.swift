import ArgumentParser
import JSONText
import Seals

struct HeadsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heads",
        abstract: "Show how far each device's chain is held here.",
        discussion: "Only reads; may run beside serve.")

    @OptionGroup
    var gateway: FleetOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await ending {
            let heads = try await gateway.open().fleet.heads()
            if json {
                print((["heads": .array(heads.map(\.json))] as JSONValue).text)
            } else {
                for head in heads {
                    print(
                        "device \(Hex.text(head.device))  epoch \(head.epoch)  seq \(head.seq)  \(Hex.text(head.hash))")
                }
                if heads.isEmpty { print("no device is enrolled") }
            }
        }
    }
}

extension DeviceHead {
    var json: JSONValue {
        [
            "shop": .string(Hex.text(shop)), "device": .string(Hex.text(device)), "epoch": .integer(epoch),
            "seq": .integer(seq), "hash": .string(Hex.text(hash)),
        ]
    }
}

struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Refuse a device from its next request on: lost, stolen or replaced.",
        discussion: "A running serve needs no restart. The device's invoice series is never given again.")

    @OptionGroup
    var gateway: FleetOptions

    @Option(help: "The device's id: 32 hex digits, as heads shows it.")
    var device: String

    func validate() throws {
        guard Hex.bytes(device)?.count == 16 else { throw ValidationError("--device is 32 hex digits") }
    }

    func run() async throws {
        try await ending {
            guard
                try await gateway.open().fleet.revoke(
                    device: Hex.bytes(device)!, nowMilliseconds: SystemClock.milliseconds())
            else {
                complain("no device \(device) is enrolled here")
                throw ExitCode(1)
            }
            print("revoked \(device)")
        }
    }
}
