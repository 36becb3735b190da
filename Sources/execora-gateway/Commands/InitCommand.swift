import ArgumentParser
import JSONText
import Seals

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make the private authority, the server's certificate, the receipt key and the store.",
        discussion: """
            Makes only what is missing, so a second run changes nothing. ca.pem is for the devices. \
            Move ca.key offline afterwards: nothing that runs needs it.
            """)

    @Option(help: "Folder for keys, certificates and the store; made with mode 0700.")
    var state: String

    @Option(name: .customLong("name"), help: "Further host name or address that devices know this gateway by.")
    var names: [String] = []

    @Flag(help: "Replace the server's certificate: other names, or it is about to end. Devices need nothing new.")
    var newServerCertificate = false

    func run() async throws {
        try await ending {
            let folder = StateFolder(path: state)
            let made = try await folder.make(names: names, nowMilliseconds: SystemClock.milliseconds())
            if newServerCertificate {
                try folder.renewServerCertificate(names: names, nowMilliseconds: SystemClock.milliseconds())
                print("made a new server.pem; restart serve to use it")
            }
            print(
                made.isEmpty ? "\(state) is whole; nothing made" : "made in \(state): \(made.joined(separator: ", "))")
            if !newServerCertificate, !made.contains("server.pem"), !names.isEmpty {
                complain("server.pem was there already, so --name changed nothing; add --new-server-certificate")
            }
        }
    }
}
