import Glibc
import Testing

/// The built programs, which stand beside the test bundle, and the tree they were built from.
enum Programs {
    static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    static func path(_ name: String) throws -> String {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        try #require(count > 0)
        let bundle = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The bundle itself, or the runner that loads it with its path as an argument.
        for place in [bundle] + CommandLine.arguments where place.contains(".xctest") {
            let folder = place.split(separator: "/").prefix { !$0.hasSuffix(".xctest") }.reduce("") { $0 + "/" + $1 }
            if access("\(folder)/\(name)", X_OK) == 0 { return "\(folder)/\(name)" }
        }
        Issue.record("\(name) was not built beside the tests")
        throw Failure.missing
    }

    enum Failure: Error {
        case missing
        case failed(Int32, String)
    }

    struct Ended {
        var status: Int32
        var output: String
    }

    /// Runs a shell line to its end; standard output and error together.
    static func shell(_ line: String) throws -> Ended {
        let pipe = try #require(popen("{ \(line); } 2>&1", "r"))
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { bytes += chunk[..<count] }
        let status = pclose(pipe)
        return Ended(
            status: status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F,
            output: String(decoding: bytes, as: UTF8.self))
    }
}
