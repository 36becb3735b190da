/// Who stands behind a client certificate; read anew for every request.
struct DeviceRecord: Hashable, Sendable {
    var shop: [UInt8]
    var device: [UInt8]
    var series: String
    var ledgerKey: [UInt8]
    /// The device or this certificate of it was revoked.
    var isRevoked: Bool
}

/// Where a device's chain stands in this store.
struct DeviceHead: Hashable, Sendable {
    var shop: [UInt8]
    var device: [UInt8]
    var epoch: Int64
    /// Of the last entry held; 0 before the first.
    var seq: Int64
    var hash: [UInt8]
}
