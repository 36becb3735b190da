import JSONText
import Testing

@testable import Conversation

/// The shop's acceptance suite, every case of it.
struct AcceptanceTests {
    /// Cases that do not hold yet, each with its reason. The list is exact: a case that starts to hold must leave it.
    static let known: [String: String] = [:]

    /// What is said, and what must then stand in the book.
    @Test(arguments: Fixture.lines("cases.jsonl"))
    func `a case of the suite holds`(_ scene: JSONValue) {
        let id = scene["id"]?.string ?? ""
        let faults = Expectation(world: Fixture.world, scene: scene).faults(of: Replay(world: Fixture.world).run(scene))
        if let reason = Self.known[id] {
            #expect(!faults.isEmpty, "\(id) holds now; take it from the list (\(reason))")
        } else {
            #expect(faults.isEmpty, "\(id): \(faults.joined(separator: "; "))")
        }
    }

    /// The same input gives the same output, in every run.
    @Test func `a replay is the same twice`() {
        for scene in Fixture.lines("cases.jsonl").prefix(20) {
            #expect(Replay(world: Fixture.world).run(scene) == Replay(world: Fixture.world).run(scene))
        }
    }

    /// A checker that passes everything would make the suite worthless.
    @Test func `the checker finds a wrong balance, a wrong word and a missing gate`() throws {
        let scene = try #require(Fixture.lines("cases.jsonl").first { $0["id"]?.string == "A13a" })
        var wrong = scene
        guard case .object(var members) = wrong else { return }
        members.removeAll { $0.name == "say" }
        members.append(.init("say", ["Suresh ka 4000 add karo"]))
        wrong = .object(members)
        let result = Replay(world: Fixture.world).run(wrong)
        let faults = Expectation(world: Fixture.world, scene: scene).faults(of: result)
        #expect(faults.contains { $0.hasPrefix("BOOK balance of suresh kumar") })
        #expect(faults.contains { $0.hasPrefix("code") })
        #expect(faults.contains { $0.hasPrefix("BOOK pendingGate") })
        #expect(faults.contains { $0.hasPrefix("speech lacks") })
    }
}
