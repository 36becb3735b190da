import Foundation
import Synchronization
import Testing

@testable import execora_gateway

/// A PostgreSQL of the tests' own: in a temporary folder, on a unix socket there, with fsync on, as an unprivileged
/// user. Ends with the test program, however that ends: it lives as long as a pipe to it is open.
final class PostgresCluster: Sendable {
    let folder: String
    private let isShared: Bool
    private let made = Atomic<Int>(0)
    private let running = Mutex<Running?>(nil)

    private struct Running {
        var process: Process
        var leash: Pipe
    }

    /// One for all tests that do not hurt it.
    static let shared = Shared()

    actor Shared {
        private var cluster: PostgresCluster?

        func get() throws -> PostgresCluster {
            if let cluster { return cluster }
            let made = try PostgresCluster(isShared: true)
            cluster = made
            return made
        }
    }

    struct Failure: Error { var what: String }

    /// Makes and starts one.
    ///
    /// - Parameter isShared: lives until the test program ends, and its folder goes with it.
    init(isShared: Bool = false) throws {
        self.isShared = isShared
        var template = Array("/tmp/execora-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(what: "no temporary folder") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(folder, 0o755)
        let data = folder + "/data"
        guard mkdir(data, 0o700) == 0 else { throw Failure(what: "no data folder") }
        if getuid() == 0 {
            for path in [folder, data] { chown(path, Self.nobody, Self.nobody) }
        }
        try run(
            "initdb", "-D", data, "-U", "execora", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        try start()
    }

    deinit {
        end()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static let nobody: UInt32 = 65_534

    /// Where Debian puts the programs, newest first.
    static func program(_ name: String) throws -> String {
        let versions = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql").compactMap { Int($0) }
        guard let newest = versions.max() else { throw Failure(what: "no PostgreSQL is installed") }
        return "/usr/lib/postgresql/\(newest)/bin/\(name)"
    }

    /// PostgreSQL refuses to run as root.
    private static func asUnprivileged(_ arguments: [String]) -> (String, [String]) {
        getuid() == 0
            ? (
                "/usr/bin/setpriv",
                ["--reuid", "\(nobody)", "--regid", "\(nobody)", "--clear-groups", "--"] + arguments
            ) : (arguments[0], Array(arguments.dropFirst()))
    }

    @discardableResult
    func run(_ name: String, _ arguments: String...) throws -> String {
        let (process, output) = (Process(), Pipe())
        let (program, all) = Self.asUnprivileged([try Self.program(name)] + arguments)
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = all
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(what: "\(name): \(said)") }
        return said
    }

    func start() throws {
        let (process, leash) = (Process(), Pipe())
        let script = """
            "$0" "$@" & p=$!; cat >/dev/null; kill -QUIT $p; wait $p; [ -z "$REMOVE" ] || rm -rf "$REMOVE"
            """
        let (program, arguments) = Self.asUnprivileged([
            "/bin/sh", "-c", script, try Self.program("postgres"), "-D", folder + "/data", "-k", folder, "-h", "",
            "-c", "max_connections=300", "-c", "shared_buffers=32MB",
        ])
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin", "REMOVE": isShared ? folder : ""]
        process.standardInput = leash
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        running.withLock { $0 = Running(process: process, leash: leash) }
        for _ in 0..<600 {
            if (try? query("postgres", "SELECT 1")) != nil { return }
            usleep(50_000)
        }
        throw Failure(what: "PostgreSQL did not come up in 30 s")
    }

    /// Ends it at once, as a cut would: no checkpoint, open lines broken.
    func kill() {
        guard let text = try? String(contentsOfFile: folder + "/data/postmaster.pid", encoding: .utf8),
            let pid = text.split(separator: "\n").first.flatMap({ Int32($0) })
        else { return }
        Glibc.kill(pid, SIGKILL)
        end()
        // Its children notice; the next start waits for the shared memory to be free.
        usleep(200_000)
    }

    func end() {
        let running = running.withLock { running in
            defer { running = nil }
            return running
        }
        guard let running else { return }
        try? running.leash.fileHandleForWriting.close()
        running.process.waitUntilExit()
    }

    /// A fresh, empty database.
    func database() throws -> String {
        let name = "fleet\(made.add(1, ordering: .relaxed).newValue)"
        try query("postgres", "CREATE DATABASE \(name)")
        return name
    }

    func dsn(_ database: String) -> String { "host=\(folder) user=execora dbname=\(database)" }

    @discardableResult
    func query(_ database: String, _ sql: String) throws -> String {
        try run("psql", "-h", folder, "-U", "execora", "-d", database, "-v", "ON_ERROR_STOP=1", "-AtqX", "-c", sql)
    }
}

/// The two stores that a gateway may stand on.
enum TestStore: CaseIterable, Sendable {
    case embedded
    case postgres

    func places() async throws -> [PostgresPlace] {
        switch self {
        case .embedded: return []
        case .postgres:
            let cluster = try await PostgresCluster.shared.get()
            let place = PostgresPlace(dsn: cluster.dsn(try cluster.database()), index: 0, count: 1)
            _ = try PostgresMigration.run(place)
            return [place]
        }
    }
}
