import Glibc
import JSONText
import Testing

/// What the counter learns from a yes outlives a power cut, is shown to a technician and is taken back.
@Suite(.serialized)
struct AliasTests {
    @Test func `a name learned from a yes stands in the book until it is taken back`() throws {
        let rig = try BareCounter()
        defer { rig.close() }
        try rig.configure("[audio]\nbackend = \"null\"\n")
        try rig.seed()
        try rig.start()
        #expect(try rig.ask("say 'Sauresh ka balance batao'")["code"]?.string == "CONFIRMATION_NEEDED")
        #expect(try rig.ask("say 'haan'")["code"]?.string == "OK")
        rig.kill()
        try rig.start()
        #expect(try rig.ask("say 'Sauresh ka balance batao'")["code"]?.string == "OK")
        let learned = try #require(try rig.ask("alias list")["aliases"]?.array)
        #expect(learned.count == 1)
        #expect(learned[0]["name"]?.string == "Suresh Kumar" && learned[0]["alias"]?.string == "Sauresh")
        let number = try #require(learned[0]["customer"]?.integer)

        #expect(try rig.ask("alias remove \(number) Nobody")["removed"]?.bool == false)
        #expect(try rig.ask("alias remove \(number) Sauresh")["removed"]?.bool == true)
        #expect(try rig.ask("alias list")["aliases"]?.array?.isEmpty == true)
        #expect(try rig.ask("say 'Sauresh ka balance batao'")["code"]?.string == "CONFIRMATION_NEEDED")

        // Learned again, and taken back on the file, which the running daemon holds.
        #expect(try rig.ask("say 'haan'")["code"]?.string == "OK")
        let remove = "'\(try Programs.path("execoractl"))' alias remove \(number) Sauresh --book '\(rig.book)' --json"
        #expect(try Programs.shell(remove).status == 2)
        #expect(rig.stop() == 0)
        #expect(try Programs.shell(remove).status == 0)
        #expect(try Programs.shell(remove).status == 1)
        let list = "'\(try Programs.path("execoractl"))' alias list --book '\(rig.book)' --json"
        #expect(try JSONValue(parsing: Programs.shell(list).output)["aliases"]?.array?.isEmpty == true)
        #expect(try rig.onFile("verify")["valid"]?.bool == true)
        try rig.start()
        #expect(try rig.ask("ledger verify")["valid"]?.bool == true)
        #expect(rig.stop() == 0)
    }

    /// A linguist edits packs without building anything: the lint names the place of a mistake.
    @Test func `packs are checked by the command a linguist has`() throws {
        let program = try Programs.path("execoractl")
        let packs = "'\(Programs.root)/Sources/Conversation/Packs'"
        #expect(try Programs.shell("'\(program)' replay --lint-packs").status == 0)
        #expect(try Programs.shell("'\(program)' replay --lint-packs \(packs)").status == 0)
        let folder = try Programs.shell("mktemp -d /tmp/execora-packs.XXXXXX").output.split(separator: "\n")[0]
        defer { _ = try? Programs.shell("rm -rf '\(folder)'") }
        let broken =
            "cp \(packs)/*.txt '\(folder)' && echo 'ADD_CREDIT writes: <amount> wryte' >> '\(folder)/intents.txt'"
        #expect(try Programs.shell(broken).status == 0)
        let told = try Programs.shell("'\(program)' replay --lint-packs '\(folder)'")
        #expect(told.status == 1)
        #expect(told.output.contains("intents.txt:") && told.output.contains("wryte"), "\(told.output)")
    }
}
