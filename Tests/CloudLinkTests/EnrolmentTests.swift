import Glibc
import JSONText
import Ledger
import Seals
import Testing

@testable import CloudLink

/// A device's folder that goes when the test ends.
struct DevicePlace: ~Copyable {
    let path = makeFolder("/tmp/execora-device")
    deinit { _ = system("rm -rf \(path)") }

    var folder: IdentityFolder { IdentityFolder(path: path + "/identity") }

    func enrol(_ gateway: borrowing TestGateway, code: String = "4711-0815", isReplacing: Bool = false) throws
        -> DeviceIdentity
    {
        try Enrolment.enrol(
            gateway: "https://localhost:\(gateway.port)", trustPath: Certificates.path("ca.pem"), code: code,
            into: folder, isReplacing: isReplacing)
    }
}

extension OverTheLine {
    static func enrolPort(_ more: (String, JSONValue)...) throws -> TestGateway {
        try TestGateway([("client", false), ("code", "4711-0815")] + more)
    }

    /// The proof is checked with the openssl tool, the certificate is used for a turn.
    @Test func `an enrolled device is let in`() throws {
        let place = DevicePlace()
        let enrolPort = try Self.enrolPort()
        let identity = try place.enrol(enrolPort)
        #expect(try enrolPort.event("enrol")["proof"]?.bool == true)
        #expect(try place.folder.identity() == identity)
        #expect(identity.series == "A01" && identity.shopHex == String(repeating: "5", count: 32))

        let devicePort = try TestGateway()
        let folder = place.folder
        let events = Mailbox<LinkEvent>()
        let link = try GatewayLink.start(
            .init(
                url: "https://localhost:\(devicePort.port)", trustPath: folder.trustPath, chainPath: folder.chainPath,
                keyPath: folder.tlsKeyPath, connectTimeout: .seconds(5))
        ) { events.put($0) }
        defer { link.stop() }
        #expect(try events.first() == .up)

        // Two thirds through its 30 days it is renewed, and the new one is shown.
        let renewal = Renewal(folder: folder, device: identity.device)
        let before = try PrivateFile.read(folder.chainPath, secret: false)
        let leaf = try folder.certificate()
        let (from, to) = (try leaf.notBeforeSeconds, try leaf.notAfterSeconds)
        #expect(!renewal.isDue(at: WallTime(milliseconds: (from + (to - from) * 6 / 10) * 1000)))
        #expect(renewal.isDue(at: WallTime(milliseconds: (from + (to - from) * 7 / 10) * 1000)))
        let done = Mailbox<Result<Void, EnrolmentError>>()
        renewal.renew(over: link) { done.put($0) }
        try done.first().get()
        #expect(try PrivateFile.read(folder.chainPath, secret: false) != before)
        #expect(
            try devicePort.event("request") { $0["path"]?.string == "/v1/time" && $0["connection"]?.integer != 1 }
                != .null)
    }

    @Test func `a wrong code is refused and told`() throws {
        let place = DevicePlace()
        let gateway = try Self.enrolPort()
        let refusal = LinkError.Rejection(status: 403, code: "code", message: "wrong, used or expired code")
        let error = EnrolmentError.link(.rejected(refusal))
        #expect(throws: error) { try place.enrol(gateway, code: "0000") }
        #expect(error.hint.contains("code is wrong"))
        // Its keys are made and kept: a second try is the same device.
        let key = try place.folder.ledgerKey().verifyingKey
        #expect(try place.enrol(gateway).device == DeviceIdentity.deviceID(of: key))
    }

    @Test func `an enrolled device is not enrolled again unasked`() throws {
        let place = DevicePlace()
        let gateway = try Self.enrolPort()
        let identity = try place.enrol(gateway)
        let chain = try PrivateFile.read(place.folder.chainPath, secret: false)
        #expect(throws: EnrolmentError.alreadyEnrolled) { try place.enrol(gateway) }
        #expect(try PrivateFile.read(place.folder.chainPath, secret: false) == chain)
        #expect(try place.enrol(gateway, isReplacing: true) == identity)
        #expect(try PrivateFile.read(place.folder.chainPath, secret: false) != chain)
    }

    @Test(arguments: [("device", "another device"), ("key", "a certificate for another key")])
    func `an answer for somebody else is refused, and nothing changes`(lie: String, what: String) throws {
        let place = DevicePlace()
        let liar = try Self.enrolPort(("lie", .string(lie)))
        #expect(throws: EnrolmentError.answer(what)) { try place.enrol(liar) }
        #expect(throws: SealError.missing(path: place.folder.identityPath)) { try place.folder.identity() }
        // Also over an identity of before.
        let identity = try place.enrol(try Self.enrolPort())
        #expect(throws: EnrolmentError.answer(what)) { try place.enrol(liar, isReplacing: true) }
        #expect(try place.folder.identity() == identity)
    }

    @Test func `an enrol port of another root is refused`() throws {
        let place = DevicePlace()
        let gateway = try Self.enrolPort()
        #expect(throws: EnrolmentError.link(.certificate(.gatewayUntrusted))) {
            try Enrolment.enrol(
                gateway: "https://localhost:\(gateway.port)", trustPath: Certificates.path("other-ca.pem"),
                code: "4711-0815", into: place.folder)
        }
        #expect(gateway.count("request") == 0)
    }

    @Test func `a renewal for another key leaves the certificate as it is`() throws {
        let place = DevicePlace()
        let identity = try place.enrol(try Self.enrolPort())
        let liar = try TestGateway([("lie", "key")])
        let folder = place.folder
        let link = try GatewayLink.start(
            .init(
                url: "https://localhost:\(liar.port)", trustPath: folder.trustPath, chainPath: folder.chainPath,
                keyPath: folder.tlsKeyPath, connectTimeout: .seconds(5))
        ) { _ in }
        defer { link.stop() }
        let before = try PrivateFile.read(folder.chainPath, secret: false)
        let done = Mailbox<Result<Void, EnrolmentError>>()
        Renewal(folder: folder, device: identity.device).renew(over: link) { done.put($0) }
        #expect(throws: EnrolmentError.answer("a certificate for another key")) { try done.first().get() }
        #expect(try PrivateFile.read(folder.chainPath, secret: false) == before)
    }
}
