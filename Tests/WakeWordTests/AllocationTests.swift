import Glibc
import Testing

/// `execoractl wake bench` under a preloaded counter of allocations: what grows with the sound would grow for years.
@Suite struct AllocationTests {
    @Test func `hearing allocates nothing, however long it goes on`() throws {
        var template = Array("/tmp/execora-count-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            unlink("\(folder)/count.so")
            rmdir(folder)
        }
        _ = try output(of: "cc -shared -fPIC -O1 -o \(folder)/count.so \(Given.fixtures)/count-allocations.c")
        let short = try allocations(seconds: 4, counter: "\(folder)/count.so")
        let long = try allocations(seconds: 24, counter: "\(folder)/count.so")
        #expect(short > 100, "the counter counts")
        #expect(long == short, "2 000 frames more, \(long - short) allocations more")
    }

    private func allocations(seconds: Int, counter: String) throws -> Int {
        let bundle = try #require(CommandLine.arguments.first { $0.contains(".xctest") })
        let folder = bundle.split(separator: "/").prefix { !$0.hasSuffix(".xctest") }.reduce("") { $0 + "/" + $1 }
        let said = try output(
            of: "LD_PRELOAD=\(counter) \(folder)/execoractl wake bench --model \(Given.models)/okay_nabu.json "
                + "--vad \(Given.models)/vad.json --seconds \(seconds) \(Given.fixtures)/kw_pink.wav")
        let line = try #require(said.split(separator: "\n").last { $0.hasPrefix("allocations ") }, "\(said)")
        return try #require(Int(line.dropFirst("allocations ".count)))
    }

    /// Runs a shell line to its end; standard output and error together.
    private func output(of line: String) throws -> String {
        let pipe = try #require(popen("{ \(line); } 2>&1", "re"))
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { bytes += chunk[..<count] }
        let text = String(decoding: bytes, as: UTF8.self)
        try #require(pclose(pipe) == 0, "\(text)")
        return text
    }
}
