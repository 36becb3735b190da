import ArgumentParser
import Seals

struct CheckpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Sign where every device's chain stands, now; serve does it every night.",
        discussion: """
            Prints the C2SP signed note. Publish it where a shopkeeper's friend can read it, and let a witness sign it \
            too (board/prove/witness): who holds it cannot be told of another past. May run beside serve.
            """)

    @OptionGroup
    var gateway: FleetOptions

    @Option(help: "The newest note as a witness gave it back: kept, and given to devices so.")
    var cosigned: String?

    func run() async throws {
        try await ending {
            let (folder, fleet) = try await gateway.open()
            if let cosigned {
                let note = String(decoding: try PrivateFile.read(cosigned, secret: false), as: UTF8.self)
                guard let lines = try CheckpointFolder(folder).keep(cosigned: note) else {
                    complain("\(cosigned) is not the newest checkpoint with lines of witnesses behind it")
                    throw ExitCode(1)
                }
                print("kept with \(lines) lines of witnesses")
                return
            }
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
