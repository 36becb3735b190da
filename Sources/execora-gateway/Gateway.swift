import ArgumentParser
import Glibc
import Seals

// execora-gateway: devices' requests enter over mutual TLS; transcripts, receipts and certificates leave.
// Threads: NIO's event loops for sockets, the cooperative pool for parsing and signatures, one thread for the store.
// Largest it holds: 32 s of audio a turn in flight (1 MB samples and 0.1 MB Opus), 96 kB a batch in flight,
// `GatewayServer.connectionsMax` connections a port. What is stored grows with the fleet and is never dropped.

@main
struct Gateway: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "execora-gateway",
        abstract: "The cloud side of the counters: enrolment, speech recognition, proof of every entry.",
        discussion: """
            Begin with `init`, hand out codes with `enrol-token`, run `serve`.
            Exit codes: 0 done, 1 failed, 2 wrong configuration or state, 64 wrong arguments.
            """,
        subcommands: [
            InitCommand.self, EnrolTokenCommand.self, ServeCommand.self, CheckCommand.self, HeadsCommand.self,
            RevokeCommand.self, MigrateCommand.self, LoadCommand.self, ForksCommand.self, FalseWakesCommand.self,
            ArchiveCheckCommand.self, ExactlyOnceCommand.self, CheckpointCommand.self, NewEpochCommand.self,
            TellCommand.self, InterpretCommand.self,
        ])
}

/// Ends a command with the reason on standard error.
func ending<Result>(_ body: () async throws -> Result) async throws -> Result {
    do { return try await body() } catch let exit as ExitCode { throw exit } catch {
        complain(reason(error))
        switch error {
        case GatewayError.configuration, GatewayError.state, SealError.exposed, SealError.missing, SealError.malformed:
            throw ExitCode(2)
        default: throw ExitCode(1)
        }
    }
}

/// An error as an operator reads it.
func reason(_ error: any Error) -> String {
    switch error {
    case SealError.missing(let path): "\(path) is missing; run init, or restore it"
    case SealError.exposed(let path, let mode):
        "\(path) may be read by others (mode \(String(mode, radix: 8))); find out why, then chmod 600 it"
    case SealError.file(let code, let operation, let path): "\(operation) \(path): \(String(cString: strerror(code)))"
    case SealError.malformed(let what): "a key or certificate is damaged: \(what)"
    default: "\(error)"
    }
}

func complain(_ text: String) {
    for line in text.split(separator: "\n") { GatewayLog.toStandardError("execora-gateway: \(line)") }
}
