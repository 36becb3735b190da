import Glibc
import Testing

@testable import execora_gateway

struct ProviderSecretTests {
    @Test func `a new key holds without a restart, an unreadable one leaves the old in use`() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/key"
        KeyFile.write("first-key\n", to: path)
        let secret = try ProviderSecret(path)
        #expect(try secret.key() == "first-key")
        KeyFile.write("second-key", to: path)
        #expect(try secret.key() == "second-key")
        KeyFile.write("  \n", to: path)
        #expect(try secret.key() == "second-key")
        KeyFile.write("third-key-for-all", to: path, mode: 0o644)
        #expect(try secret.key() == "second-key")
        KeyFile.write("fourth-key", to: path)
        #expect(try secret.key() == "fourth-key")
    }

    @Test(arguments: ["", " \n", "two words", "ключ"])
    func `what cannot stand in a header is no key`(text: String) {
        let folder = TemporaryFolder()
        KeyFile.write(text, to: folder.path + "/key")
        #expect(throws: SpeechError.refused(reason: "the key file holds no key")) {
            try ProviderSecret(folder.path + "/key")
        }
    }

    @Test func `a key that others may read is refused`() {
        let folder = TemporaryFolder()
        KeyFile.write("key", to: folder.path + "/key", mode: 0o640)
        #expect(throws: SpeechError.self) { try ProviderSecret(folder.path + "/key") }
    }

    @Test func `a credential is looked for where systemd puts it, and nowhere else`() throws {
        let folder = TemporaryFolder()
        KeyFile.write("key", to: folder.path + "/deepgram")
        #expect(try ProviderSecret("credential:deepgram", credentials: folder.path).key() == "key")
        #expect(throws: SpeechError.self) { try ProviderSecret("credential:deepgram", credentials: nil) }
        #expect(throws: SpeechError.self) { try ProviderSecret("credential:../deepgram", credentials: folder.path) }
    }

    @Test func `no way of printing a secret tells it`() throws {
        let folder = TemporaryFolder()
        KeyFile.write("sk-secret-key", to: folder.path + "/key")
        let secret = try ProviderSecret(folder.path + "/key")
        var dumped = ""
        dump(secret, to: &dumped)
        let call = ProviderCall(
            secret: secret, answerTimeMax: .seconds(1), logger: GatewayLog.logger(write: { _ in }))
        for text in ["\(secret)", String(reflecting: secret), "\(call)", dumped] {
            #expect(!text.contains("sk-secret"))
        }
    }
}
