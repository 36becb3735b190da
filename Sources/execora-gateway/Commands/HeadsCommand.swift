import ArgumentParser
import JSONText
import Seals

struct HeadsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heads",
        abstract: "Show how far each device's chain is held here.",
        discussion: "Only reads; may run beside serve.")

    @Option(help: "The gateway's state folder.")
    var state: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await ending {
            let folder = try StateFolder.made(at: state)
            let heads = try FleetStore.heads(in: FleetDatabase(path: folder.database, isReadOnly: true))
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

    @Option(help: "The gateway's state folder.")
    var state: String

    @Option(help: "The device's id: 32 hex digits, as heads shows it.")
    var device: String

    func validate() throws {
        guard Hex.bytes(device)?.count == 16 else { throw ValidationError("--device is 32 hex digits") }
    }

    func run() async throws {
        try await ending {
            let folder = try StateFolder.made(at: state)
            let store = try await FleetStore.open(path: folder.database)
            guard try await store.revoke(device: Hex.bytes(device)!, nowMilliseconds: SystemClock.milliseconds())
            else {
                complain("no device \(device) is enrolled here")
                throw ExitCode(1)
            }
            print("revoked \(device)")
        }
    }
}
