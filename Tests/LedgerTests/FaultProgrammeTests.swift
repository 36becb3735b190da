import JSONText
import Testing

/// A short run of the fault programme (`make faults` is the long one), each part in a process of its own, as its disk
/// becomes that process's.
@Suite struct FaultProgrammeTests {
    struct Told {
        var code: Int32?
        var faults: Int64
        var text: String
    }

    static func run(_ arguments: [String]) throws -> Told {
        let child = try Child(["faults"] + arguments + ["--json"])
        var text = ""
        while let line = child.line() { text = line }
        return Told(
            code: child.end(), faults: (try? JSONValue(parsing: Array(text.utf8)))?["faults"]?.integer ?? 0, text: text)
    }

    @Test func `a power cut at any moment takes nothing that was acknowledged`() throws {
        let told = try Self.run(["cuts", "--count", "150", "--seed", "11"])
        #expect(told.code == 0 && told.faults == 150, "\(told.text)")
    }

    /// The check of the check: where a commit is not synced, entries are lost and it is seen.
    @Test func `at synchronous NORMAL the same cuts are caught losing entries`() throws {
        let told = try Self.run(["control", "--count", "60", "--seed", "11"])
        #expect(told.code == 0, "\(told.text)")
    }

    @Test func `a process that ends before or after any call to the disk has lost nothing`() throws {
        let told = try Self.run(["kills", "--every", "70", "--seed", "11"])
        #expect(told.code == 0 && told.faults > 50, "\(told.text)")
    }

    @Test func `power cut before or after any call to the disk takes nothing`() throws {
        let told = try Self.run(["cutsat", "--every", "80", "--seed", "12"])
        #expect(told.code == 0 && told.faults > 50, "\(told.text)")
    }

    @Test func `a disk that refuses one call loses nothing, and selling goes on`() throws {
        let told = try Self.run(["errors", "--every", "150", "--seed", "11"])
        #expect(told.code == 0 && told.faults > 30, "\(told.text)")
    }

    @Test func `a full disk is said to be full, and sells the moment it is not`() throws {
        let told = try Self.run(["full", "--count", "10", "--seed", "11"])
        #expect(told.code == 0 && told.faults == 10, "\(told.text)")
    }
}
