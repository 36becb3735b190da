import JSONText
import Seals
import Testing

@testable import execora_gateway

@Suite struct EnrolmentTests {
    /// The first counter of a shop is A01, the next A02; another shop begins anew.
    @Test func `counters of a shop get series of their own`() async throws {
        try await GatewayRig.run { rig in
            let first = try await CounterDouble.enrolled(at: rig)
            let second = try await CounterDouble.enrolled(at: rig)
            let elsewhere = try await CounterDouble.enrolled(at: rig, shop: "patel-stores")
            #expect([first.series, second.series, elsewhere.series] == ["A01", "A02", "A01"])
            #expect(first.shop == second.shop && first.shop != elsewhere.shop)
            #expect(try await rig.store.heads().allSatisfy { $0.seq == 0 && $0.epoch == 1 })
        }
    }

    /// What the device gets works: the identity folder of the device takes it, and the device port lets it in.
    @Test func `an enrolled device is let in with its certificate`() async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let leaf = try Seals.Certificate.read(pem: Array(counter.chainPEM.utf8))
            #expect(leaf.commonName == Hex.text(counter.device))
            let isForItsKey = counter.tlsKey.matches(leaf)
            #expect(isForItsKey)
            let answer = try await counter.send("GET", "/v1/time", to: rig)
            #expect(answer.status == 200)
        }
    }

    @Test func `a used code is refused to another device`() async throws {
        try await GatewayRig.run { rig in
            let code = try await rig.code()
            #expect(try await rig.enrol(CounterDouble().enrolment(code: code)).status == 200)
            let again = try await rig.enrol(CounterDouble().enrolment(code: code))
            #expect(again.status == 403 && again.errorCode == "code")
            #expect(try await rig.store.heads().count == 1)
        }
    }

    /// The answer to an enrolment may be lost on the way; the device asks again with the same keys (a fresh signature
    /// in its certificate request). Another TLS key is another asker.
    @Test func `the same keys get the same answer again`() async throws {
        try await GatewayRig.run { rig in
            var counter = try CounterDouble()
            let code = try await rig.code()
            let first = try await rig.enrol(counter.enrolment(code: code))
            let second = try await rig.enrol(counter.enrolment(code: code))
            #expect(first.status == 200 && first.bytes == second.bytes)
            counter.tlsKey = try .generate()
            #expect(try await rig.enrol(counter.enrolment(code: code)).status == 403)
        }
    }

    @Test func `an expired code is refused`() async throws {
        try await GatewayRig.run { rig in
            let code = try await rig.code(life: .seconds(60))
            rig.clock.advance(.seconds(61))
            let answer = try await rig.enrol(CounterDouble().enrolment(code: code))
            #expect(answer.status == 403 && answer.errorCode == "code")
        }
    }

    @Test(arguments: [
        "0000-0000-0000-0000", "K7QF-9MXC-2HDT-W4P", "", "U' OR 1=1 --", String(repeating: "A", count: 200),
    ])
    func `a code that was never given is refused`(code: String) async throws {
        try await GatewayRig.run { rig in
            _ = try await rig.code()
            let answer = try await rig.enrol(CounterDouble().enrolment(code: code))
            #expect(answer.status == 403 && answer.errorCode == "code")
        }
    }

    /// A technician types it from paper.
    @Test func `a code may be typed in small letters without hyphens`() async throws {
        try await GatewayRig.run { rig in
            let typed = try await rig.code().lowercased().filter { $0 != "-" }
            #expect(try await rig.enrol(CounterDouble().enrolment(code: typed)).status == 200)
        }
    }

    /// Without it anybody with a code could enrol somebody else's ledger key.
    @Test func `a proof by another key is refused and the code stays good`() async throws {
        try await GatewayRig.run { rig in
            let code = try await rig.code()
            let (one, other) = (try CounterDouble(), try CounterDouble())
            var members = try one.enrolment(code: code).members!
            members.removeAll { $0.name == "ledger_key" }
            members.append(.init("ledger_key", .string(Hex.text(other.ledgerKey.verifyingKey.bytes))))
            let answer = try await rig.enrol(.object(members))
            #expect(answer.status == 422 && answer.errorCode == "proof")
            #expect(try await rig.enrol(one.enrolment(code: code)).status == 200)
        }
    }

    @Test func `a body that is no enrolment is refused`() async throws {
        try await GatewayRig.run { rig in
            #expect(try await rig.enrol(["code": "x"]).status == 400)
            #expect(try await rig.enrol(.array([])).status == 400)
            #expect(try await rig.enrol(["code": .string(String(repeating: "x", count: 20_000))]).status == 413)
            let counter = try CounterDouble()
            let code = try await rig.code()
            let csr = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
            let proof = try EnrolmentProof.make(code: code, request: Array(csr.utf8), key: counter.ledgerKey)
            let answer = try await rig.enrol([
                "code": .string(code), "csr": .string(csr), "proof": .string(Hex.text(proof)),
                "ledger_key": .string(Hex.text(counter.ledgerKey.verifyingKey.bytes)),
            ])
            #expect(answer.status == 400)
        }
    }

    /// Its certificate ran out while it was away for a year: a new code brings it back with its chain.
    @Test func `a known device comes back with its series`() async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let again = try await rig.enrol(counter.enrolment(code: rig.code()))
            #expect(again.status == 200 && again.json["series"]?.string == "A01")
            let elsewhere = try await rig.enrol(counter.enrolment(code: rig.code(shop: "other")))
            #expect(elsewhere.status == 403 && elsewhere.errorCode == "device")
            _ = try await rig.store.revoke(device: counter.device, nowMilliseconds: rig.clock.milliseconds)
            let revoked = try await rig.enrol(counter.enrolment(code: rig.code()))
            #expect(revoked.status == 403 && revoked.errorCode == "device")
        }
    }

    @Test func `renewal gives a certificate for the new key and leaves the old one good`() async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            var renewed = counter
            renewed.tlsKey = try .generate()
            let csr = try renewed.tlsKey.certificateRequest(commonName: "anything")
            let body: JSONValue = ["csr": .string(String(decoding: csr, as: UTF8.self))]
            let answer = try await counter.send(
                "POST", "/v1/renew", to: rig, body: .bytes(.init(bytes: body.bytes)))
            #expect(answer.status == 200)
            renewed.chainPEM = answer.json["certificate"]?.string ?? ""
            let name = try Seals.Certificate.read(pem: Array(renewed.chainPEM.utf8)).commonName
            #expect(name == Hex.text(counter.device))
            #expect(try await renewed.send("GET", "/v1/time", to: rig).status == 200)
            #expect(try await counter.send("GET", "/v1/time", to: rig).status == 200)
        }
    }

    @Test func `a device has a bounded number of running certificates`() async throws {
        try await GatewayRig.run { rig in
            let counter = try await CounterDouble.enrolled(at: rig)
            let csr = String(decoding: try counter.tlsKey.certificateRequest(commonName: "any"), as: UTF8.self)
            let body: JSONValue = ["csr": .string(csr)]
            var statuses: [Int] = []
            for _ in 0..<FleetStore.certificatesMax {
                statuses.append(
                    try await counter.send("POST", "/v1/renew", to: rig, body: .bytes(.init(bytes: body.bytes))).status)
            }
            #expect(statuses.dropLast().allSatisfy { $0 == 200 } && statuses.last == 429)
        }
    }
}
