import Glibc

@testable import execora_gateway

/// Key files for tests: written 0600 in a folder of their own.
enum KeyFile {
    static func secret(_ key: String) throws -> ProviderSecret {
        let folder = TemporaryFolder()
        let path = folder.path + "/key"
        write(key, to: path)
        return try withExtendedLifetime(folder) { try ProviderSecret(path) }
    }

    static func write(_ text: String, to path: String, mode: mode_t = 0o600) {
        unlink(path)
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL, mode)
        precondition(file >= 0, "no key file")
        fchmod(file, mode)
        let bytes = Array(text.utf8)
        precondition(Glibc.write(file, bytes, bytes.count) == bytes.count, "key file not written")
        close(file)
    }
}
