import CLinux

/// How the gateway holds the memory of thousands of idle lines.
enum GatewayMemory {
    /// TLS sets aside 48 kB a line for records of full size; most lines never see one. From this size on a block has
    /// pages of its own, and those never written cost nothing.
    static let ownPagesFromBytes: Int32 = 12 << 10

    /// Once, before the first listener.
    static func prepare() { _ = clinux_own_pages_from(ownPagesFromBytes) }
}
