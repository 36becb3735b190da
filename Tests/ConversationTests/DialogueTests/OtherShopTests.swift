import JSONText
import Testing

@testable import Conversation

/// Two more shops, whose cases were written before anybody looked at what the grammar makes of them.
///
/// First runs: 52 of 56 cases and 19 of 20 refusals of the second shop, 56 of 62 and 24 of 24 of the third. Nothing
/// wrong was written to an account in either; one price said with a thing was put aside.
struct OtherShopTests {
    /// A shop's cases by file: what is written, and what must change nothing.
    static let second = Shop("unseen-world.json", ["unseen-cases.jsonl", "unseen-refusals.jsonl"])
    static let third = Shop("third-world.json", ["third-cases.jsonl", "third-refusals.jsonl"])

    struct Shop: Sendable {
        let world: JSONValue
        let scenes: [JSONValue]

        init(_ world: String, _ files: [String]) {
            self.world = try! JSONValue(parsing: Fixture.bytes(world))
            scenes = files.flatMap(Fixture.lines)
        }

        func faults(_ scene: JSONValue) -> [String] {
            Expectation(world: world, scene: scene).faults(of: Replay(world: world).run(scene))
        }
    }

    @Test(arguments: second.scenes)
    func `a case of the second shop holds`(_ scene: JSONValue) {
        let faults = Self.second.faults(scene)
        #expect(faults.isEmpty, "\(scene["id"]?.string ?? ""): \(faults.joined(separator: "; "))")
    }

    @Test(arguments: third.scenes)
    func `a case of the third shop holds`(_ scene: JSONValue) {
        let faults = Self.third.faults(scene)
        #expect(faults.isEmpty, "\(scene["id"]?.string ?? ""): \(faults.joined(separator: "; "))")
    }
}
