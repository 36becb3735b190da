import Glibc
import JSONText
import Seals
import Testing

/// A ledger key is followed by another at the word of both, and by nothing else.
@Suite struct KeyHandoverTests {
    private let keys: [SigningKey]
    private let device: [UInt8]

    init() throws {
        keys = try (1...4).map { try SigningKey(seed: [UInt8](repeating: UInt8($0), count: 32)) }
        device = DeviceIdentity.deviceID(of: keys[0].verifyingKey)
    }

    private func handover(_ old: Int, _ new: Int, from seq: Int64 = 5) throws -> KeyHandover {
        try KeyHandover(device: device, from: keys[old], to: keys[new], epoch: 1, fromSeq: seq)
    }

    @Test func `handovers lead from the device's id to the key in use`() throws {
        let (one, two) = (try handover(0, 1), try handover(1, 2))
        func keys(_ handovers: [KeyHandover], to key: Int) -> [VerifyingKey]? {
            KeyHandover.keys(of: device, through: handovers, to: self.keys[key].verifyingKey)
        }
        #expect(keys([], to: 0) == [self.keys[0].verifyingKey])
        #expect(keys([one, two], to: 2) == self.keys[0...2].map(\.verifyingKey))
        // Left out, turned round, led elsewhere, of another device.
        #expect(keys([two], to: 2) == nil)
        #expect(keys([two, one], to: 1) == nil)
        #expect(keys([one, two], to: 1) == nil)
        #expect(keys([one], to: 3) == nil)
        #expect(keys([], to: 1) == nil)
        var other = one
        other.device[0] ^= 1
        #expect(keys([other], to: 1) == nil)
        #expect(keys(.init(repeating: one, count: KeyHandover.countMax + 1), to: 1) == nil)
    }

    @Test func `what either key did not sign does not hold`() throws {
        let whole = try handover(0, 1)
        #expect(whole.holds)
        #expect(KeyHandover(json: whole.json) == whole)
        // An attacker who has the old key cannot name a key he does not hold, nor one who has the new take over.
        var taken = whole
        taken.new = keys[3].verifyingKey
        #expect(!taken.holds)
        taken = whole
        taken.old = keys[3].verifyingKey
        #expect(!taken.holds)
        for path in [\KeyHandover.epoch, \.fromSeq] {
            taken = whole
            taken[keyPath: path] += 1
            #expect(!taken.holds)
        }
        taken = whole
        swap(&taken.oldSignature, &taken.newSignature)
        #expect(!taken.holds)
        #expect(try !handover(0, 0).holds)
        for name in ["device", "old_key", "new_key", "epoch", "from_seq", "old_signature", "new_signature"] {
            let left = (whole.json.members ?? []).filter { $0.name != name }
            #expect(KeyHandover(json: .object(left)) == nil)
        }
    }

    /// The plug is pulled between any two steps: the folder says the same device, and a second run ends the change.
    @Test(arguments: ["before the gateway", "before the folder", "before the key", "before the end", "done"])
    func `a change that was cut is ended by the next`(cut: String) throws {
        let scratch = Scratch()
        let folder = IdentityFolder(path: scratch.path + "/identity")
        let old = try folder.keysMadeIfMissing().ledger
        let device = try folder.deviceID()
        let next = try folder.nextLedgerKeyMadeIfMissing()
        let handover = try KeyHandover(device: device, from: old, to: next, epoch: 1, fromSeq: 9)
        switch cut {
        case "before the gateway", "before the folder": break
        case "before the key":
            let json = JSONValue.array([handover.json])
            try PrivateFile.write(json.bytes, to: folder.handoversPath)
        case "before the end":
            try folder.change(to: next, by: handover)
            try PrivateFile.write(next.pem(), to: folder.nextLedgerKeyPath)
        default: try folder.change(to: next, by: handover)
        }
        #expect(try folder.deviceID() == device)
        let isChanged = try folder.ledgerKey().verifyingKey == next.verifyingKey
        #expect(isChanged == ["before the end", "done"].contains(cut))
        // What the command does when it is run again.
        if !isChanged {
            let again = try folder.nextLedgerKeyMadeIfMissing()
            #expect(again.verifyingKey == next.verifyingKey)
            #expect(try KeyHandover(device: device, from: old, to: again, epoch: 1, fromSeq: 9) == handover)
            try folder.change(to: again, by: handover)
        } else {
            folder.endChange()
        }
        #expect(try folder.ledgerKey().verifyingKey == next.verifyingKey)
        #expect(try folder.handovers() == [handover])
        #expect(try folder.deviceID() == device)
        #expect(access(folder.nextLedgerKeyPath, F_OK) != 0)
    }

    @Test func `a folder whose handovers do not lead to its key is not this device's`() throws {
        let scratch = Scratch()
        let folder = IdentityFolder(path: scratch.path + "/identity")
        let old = try folder.keysMadeIfMissing().ledger
        let device = try folder.deviceID()
        let next = try folder.nextLedgerKeyMadeIfMissing()
        try PrivateFile.write(
            JSONValue.object([
                .init("device", .string(Hex.text(device))), .init("shop", .string(String(repeating: "07", count: 16))),
                .init("series", "A01"), .init("receipt_key", .string(Hex.text(old.verifyingKey.bytes))),
            ]).bytes, to: folder.identityPath)
        #expect(try folder.identity().keys == [old.verifyingKey])
        try folder.change(
            to: next, by: KeyHandover(device: device, from: old, to: next, epoch: 1, fromSeq: 1))
        #expect(try folder.identity().keys == [old.verifyingKey, next.verifyingKey])
        try folder.adopt(series: "A07")
        #expect(try folder.identity().series == "A07")
        let stranger = try SigningKey.generate()
        try PrivateFile.write(stranger.pem(), to: folder.ledgerKeyPath)
        #expect(throws: SealError.malformed("identity.json and ledger.key are of two devices")) {
            try folder.identity()
        }
    }
}
