import Foundation
import JSONText
import Testing

@testable import Conversation

/// `make mutate` breaks one law at a time and wants the named test to fail. Here only that it still could: each law
/// stands where it was, and the test that guards it has its name.
struct MutationPlaceTests {
    private static let root = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// All of a suite's text.
    private static func sources(of suite: String) throws -> String {
        let folder = root.appendingPathComponent("Tests/\(suite)")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        var text = ""
        while let file = files?.nextObject() as? URL {
            if file.pathExtension == "swift" { text += try String(contentsOf: file, encoding: .utf8) }
        }
        return text
    }

    @Test func `each law that is broken on purpose is in its place, with its test`() throws {
        let changes = try #require(JSONValue(parsing: Array(Self.text("board/mutate/mutations.json").utf8)).array)
        #expect(changes.count >= 3)
        for change in changes {
            let edits = try #require(change["edits"]?.array)
            #expect(!edits.isEmpty)
            for edit in edits {
                let file = try #require(edit["file"]?.string)
                let old = try #require(edit["old"]?.string)
                #expect(try Self.text(file).ranges(of: old).count == 1, "\(file): \(old)")
                #expect(edit["new"]?.string?.contains("BROKEN") == true)
            }
            let tests = try Self.sources(of: change["suite"]?.string ?? "ConversationTests")
            #expect(tests.contains("func `\(try #require(change["test"]?.string))`"), "\(change.text)")
        }
    }
}
