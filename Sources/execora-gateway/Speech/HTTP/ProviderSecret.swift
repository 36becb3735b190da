import Glibc
import Seals
import Synchronization

/// A vendor's key, in a 0600 file or a systemd credential. Read again when the file changes, so a new key needs no
/// restart; kept out of every text: `description` and `debugDescription` tell nothing.
final class ProviderSecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A key is some tens of characters.
    static let bytesMax = 4096

    private struct Stamp: Equatable {
        var seconds: Int
        var nanoseconds: Int
        var inode: UInt
        var size: Int
    }

    private let path: String
    private let kept = Mutex<(stamp: Stamp, key: String)?>(nil)

    /// - Parameter place: a path, or `credential:NAME` for `$CREDENTIALS_DIRECTORY/NAME`.
    /// - Throws: what is wrong with it now; later `key()` tells.
    init(_ place: String, credentials: String? = getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) }) throws {
        path = try Self.path(place, credentials: credentials)
        _ = try key()
    }

    static func path(_ place: String, credentials: String?) throws -> String {
        guard place.hasPrefix("credential:") else { return place }
        let name = place.dropFirst("credential:".count)
        guard let credentials, !name.isEmpty, !name.contains("/") else {
            throw SpeechError.refused(reason: "no such systemd credential")
        }
        return credentials + "/" + name
    }

    /// The key as the file holds it now. While a new file cannot be read, the last good key is used on.
    ///
    /// - Throws: `SpeechError.refused` when there never was a good one; the reason names no key.
    func key() throws(SpeechError) -> String {
        let now = stamp()
        if let kept = kept.withLock({ $0 }), kept.stamp == now { return kept.key }
        do {
            let bytes = try PrivateFile.read(path, secret: true)
            let key = String(decoding: bytes, as: UTF8.self).trimmed
            // What cannot stand in a header is no key.
            guard !key.isEmpty, bytes.count <= Self.bytesMax,
                key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else { throw SpeechError.refused(reason: "the key file holds no key") }
            if let now { kept.withLock { $0 = (now, key) } }
            return key
        } catch {
            if let kept = kept.withLock({ $0 }) { return kept.key }
            throw (error as? SpeechError) ?? .refused(reason: "the key file cannot be read as a private file")
        }
    }

    private func stamp() -> Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Stamp(
            seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec, inode: UInt(status.st_ino),
            size: Int(status.st_size))
    }

    var description: String { "a secret" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
