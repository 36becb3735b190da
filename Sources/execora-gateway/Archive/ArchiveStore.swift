/// Where recordings are kept: a folder, or a bucket. Keys are `SHOP/YYYY-MM-DD/TURN.ogg`.
protocol ArchiveStore: Sendable {
    func put(_ bytes: [UInt8], key: String) async throws
    /// All keys that begin so, at most `ArchiveStore.keysMax`; older days first.
    func keys(prefix: String) async throws -> [String]
    func remove(key: String) async throws
}

extension ArchiveStore {
    static var keysMax: Int { 100_000 }
}

/// The `archive` part of the gateway's configuration. Nothing is kept unless it is there.
struct ArchiveConfiguration: Hashable, Sendable {
    /// Days that a recording is kept.
    var retentionDays: Int64 = 30
    var place: Place

    enum Place: Hashable, Sendable {
        case folder(String)
        case bucket(Bucket)
    }

    struct Bucket: Hashable, Sendable {
        /// "https://s3.ap-south-1.amazonaws.com" or a server of one's own; the bucket stands in the path.
        var url: String
        var name: String
        var region: String
        /// A 0600 file or credential with `ACCESS_KEY:SECRET_KEY`.
        var keyFile: String
    }
}
