import Foundation
import JSONText
import Ledger
import LedgerSync
import Seals
import Testing

@testable import execora_gateway

@Suite struct MerkleTreeTests {
    /// Roots of the reference tree's first n leaves: the vectors of Certificate Transparency (RFC 6962's C++ code).
    static let leaves = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ]
    static let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    @Test(arguments: 1...8)
    func `roots are those of the reference`(count: Int) throws {
        let leaves = try Self.leaves.prefix(count).map { try #require(Hex.bytes($0)) }
        #expect(Hex.text(MerkleTree(leaves: leaves).root) == Self.roots[count - 1])
    }

    @Test(arguments: [1, 2, 3, 7, 8, 9, 100])
    func `every leaf proves itself and no other does`(count: Int) {
        let leaves = (0..<count).map { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        let tree = MerkleTree(leaves: leaves)
        for index in leaves.indices {
            let proof = tree.proof(of: index)
            #expect(MerkleTree.root(of: leaves[index], index: index, count: count, proof: proof) == tree.root)
            #expect(MerkleTree.root(of: [9, 9, 9], index: index, count: count, proof: proof) != tree.root)
            #expect(MerkleTree.root(of: leaves[index], index: index, count: count, proof: proof + [tree.root]) == nil)
        }
    }
}

@Suite struct CheckpointTests {
    @Test func `the night's moment is always ahead`() {
        let day = CheckpointService.dayMilliseconds
        for now in [0, 1, CheckpointService.momentOfDayMilliseconds, day - 1, day, 1_790_000_000_000] {
            let wait = CheckpointService.wait(after: now)
            #expect((1...day).contains(wait))
            #expect((now + wait) % day == CheckpointService.momentOfDayMilliseconds)
        }
    }

    /// From a sale at the counter to a stranger with a Python interpreter.
    @Test func `an entry is proven to someone who has nothing of ours`() async throws {
        try await GatewayRig.run { rig in
            for _ in 0..<6 { _ = try await CounterDouble.enrolled(at: rig) }
            let device = try await RealDevice.enrolled(at: rig)
            defer { device.remove() }
            let none = try? await onOwnThread { try device.get("/v1/checkpoint") }
            #expect(none == nil)
            let book = device.folder.path + "/book.sqlite"
            try await onOwnThread {
                let own = try device.openBook(book)
                try device.write(1...30, into: own)
                try device.sync(own)
            }
            let key = try rig.folder.receiptKey()
            let made = try CheckpointFolder(rig.folder).make(try await rig.fleet.heads(), key: key, nowMilliseconds: 5)
            #expect(made?.checkpoint.size == 7)
            // The book goes on behind the checkpoint.
            try await onOwnThread {
                let own = try device.openBook(book)
                try device.write(31...40, into: own)
                try device.sync(own)
            }
            let place = device.folder.path
            // A witness has signed it too.
            let witness = try SigningKey(seed: .init(repeating: 3, count: 32))
            try PrivateFile.write(Array(String(repeating: "03", count: 32).utf8), to: place + "/witness.key")
            let notes = CheckpointFolder(rig.folder).path
            let cosigned = try Program.start(
                Program.checkout + "/board/prove/witness",
                [
                    "--key", place + "/witness.key", "--name", "bazaar.example", "--receipt-key",
                    Hex.text(key.verifyingKey.bytes), "--state", place + "/witness", notes + "/latest.note",
                    notes + "/latest.tree",
                ])
            #expect(cosigned.code == 0, "\(cosigned.output)")
            #expect(try CheckpointFolder(rig.folder).keep(cosigned: cosigned.output) == 1)
            let checkpoint = try await onOwnThread { try device.get("/v1/checkpoint") }
            try PrivateFile.write(checkpoint, to: place + "/checkpoint.json")
            let prove = try Program.run(
                "execoractl", "ledger", "prove", "--book", book, "--seq", "12", "--checkpoint",
                place + "/checkpoint.json", "--to", place + "/proof.json")
            #expect(prove.code == 0, "\(prove.output)")
            let keyHex = Hex.text(key.verifyingKey.bytes)
            let verified = try Program.verify(place + "/proof.json", key: keyHex)
            #expect(verified.code == 0 && verified.output.contains("checkpoint of 7 heads"))
            let witnessHex = Hex.text(witness.verifyingKey.bytes)
            let twice = try Program.verify(
                place + "/proof.json", key: keyHex, witness: "bazaar.example+" + witnessHex)
            #expect(twice.code == 0 && twice.output.contains("which bazaar.example cosigned"), "\(twice.output)")
            for other in ["bazaar.example+" + keyHex, "other.example+" + witnessHex] {
                #expect(try Program.verify(place + "/proof.json", key: keyHex, witness: other).code == 1)
            }

            // Whatever is changed, it is no proof any more.
            let proof = try JSONValue(parsing: try PrivateFile.read(place + "/proof.json", secret: false)).text
            let entry = try #require(try JSONValue(parsing: proof)["body"]?.string)
            let note = try #require(made?.note)
            let root = try #require(note.split(separator: "\n").dropFirst(2).first)
            let changes = [
                (entry, String(entry.dropLast(2)) + (entry.hasSuffix("00") ? "01" : "00")),
                (#""seq":12"#, #""seq":13"#),
                (String(root), "A" + root.dropFirst()), (#""index":"#, #""index":1"#),
            ]
            for (from, to) in changes {
                let changed = proof.replacingOccurrences(of: from, with: to)
                #expect(changed != proof)
                try PrivateFile.write(Array(changed.utf8), to: place + "/changed.json")
                #expect(try Program.verify(place + "/changed.json", key: keyHex).code == 1)
            }
            let other = Hex.text(try SigningKey.generate().verifyingKey.bytes)
            #expect(try Program.verify(place + "/proof.json", key: other).code == 1)
            // What was never receipted cannot be proven.
            #expect(
                try Program.run("execoractl", "ledger", "prove", "--book", book, "--seq", "41").code == 1)
        }
    }
}

/// A second party looks at every checkpoint before it stands: by a script that has nothing of ours.
@Suite struct WitnessTests {
    private func head(_ number: UInt8, seq: Int64, hash: UInt8 = 1, epoch: Int64 = 1) -> DeviceHead {
        DeviceHead(
            shop: .init(repeating: 7, count: 16), device: .init(repeating: number, count: 16), epoch: epoch, seq: seq,
            hash: .init(repeating: hash, count: 32))
    }

    /// Makes a checkpoint and asks the witness.
    private func asked(
        _ heads: [DeviceHead], in place: TemporaryFolder, key: SigningKey, trusting: SigningKey? = nil,
        tree: String = "latest.tree"
    ) throws -> (code: Int32, output: String) {
        let folder = CheckpointFolder(StateFolder(path: place.path))
        _ = try folder.make(heads, key: key, nowMilliseconds: 5)
        return try Program.start(
            Program.checkout + "/board/prove/witness",
            [
                "--key", place.path + "/witness.key", "--name", "bazaar.example", "--receipt-key",
                Hex.text((trusting ?? key).verifyingKey.bytes), "--state", place.path + "/other", "--time",
                "1790000000",
                folder.path + "/latest.note", folder.path + "/" + tree,
            ])
    }

    @Test func `a witness cosigns what goes on and refuses what goes back`() throws {
        let place = TemporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: place.path + "/checkpoints") }
        let key = try SigningKey(seed: .init(repeating: 9, count: 32))
        let made = try Program.start(
            Program.checkout + "/board/prove/witness", ["--new-key", place.path + "/witness.key"])
        #expect(made.code == 0 && made.output.hasPrefix("witness key: "))
        #expect(try asked([head(1, seq: 5), head(2, seq: 0)], in: place, key: key).code == 0)
        // The same again, one that grew, one that is new, one in its next epoch.
        #expect(try asked([head(1, seq: 5), head(2, seq: 0)], in: place, key: key).code == 0)
        let last = [head(1, seq: 1, hash: 4, epoch: 2), head(2, seq: 9, hash: 3), head(3, seq: 1)]
        let cosigned = try asked(last, in: place, key: key)
        #expect(cosigned.code == 0)
        let refusals: [([DeviceHead], String)] = [
            ([last[0], head(2, seq: 8), last[2]], "went back"), ([head(1, seq: 50), last[1], last[2]], "went back"),
            ([last[0], head(2, seq: 9, hash: 5), last[2]], "another past"), ([last[0], last[1]], "is missing"),
        ]
        for (heads, reason) in refusals {
            let answer = try asked(heads, in: place, key: key)
            #expect(answer.code == 1 && answer.output.contains(reason), "\(answer.output)")
        }
        // Of another key, or a tree that is not the signed one.
        #expect(try asked(last, in: place, key: key, trusting: .generate()).code == 1)
        #expect(try asked(last, in: place, key: key, tree: "latest.note").code == 1)
        // The gateway takes its own newest note back, and nothing else.
        let folder = CheckpointFolder(StateFolder(path: place.path))
        #expect(try folder.keep(cosigned: cosigned.output) == 1)
        #expect(try folder.keep(cosigned: cosigned.output + "x") == nil)
        #expect(try folder.keep(cosigned: "x" + cosigned.output) == nil)
        #expect(try folder.keep(cosigned: cosigned.output + "no line of a witness\n") == nil)
    }
}

/// Programs beside the test program, and scripts of the checkout.
enum Program {
    static func run(_ name: String, _ arguments: String...) throws -> (code: Int32, output: String) {
        let folder = try GatewayProgram.path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
        return try start(folder + "/" + name, arguments)
    }

    static func verify(
        _ proof: String, key: String, witness: String? = nil
    ) throws -> (code: Int32, output: String) {
        try start(
            checkout + "/board/prove/verify",
            ["--receipt-key", key] + (witness.map { ["--witness", $0] } ?? []) + [proof])
    }

    struct Failed: Error { var output: String }

    static var checkout: String { #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } }

    static func start(_ path: String, _ arguments: [String]) throws -> (code: Int32, output: String) {
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, said)
    }
}
