import CZstd

/// Zstandard around a batch's payload: entries of one book look alike, and a counter's line may be a slow one.
///
/// Debian's libcurl loads the library anyway, so it costs the device no memory of its own; what compressing takes
/// (0.6 MB) is given back at once.
enum Compression {
    /// Below this a frame's own bytes eat what is gained.
    static let payloadBytesMin = 400
    /// The level that costs a millisecond for a full batch; higher ones gain 3 % and take five times as long.
    static let level: Int32 = 3
    /// A window of 128 kB: no batch is longer, and a receiver needs no more.
    static let windowLog: Int32 = 17
    /// A payload never grows more than this when it is expanded: bytes that are all one byte are no ledger.
    static let ratioMax = 20

    /// Nil when it would not be shorter.
    static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= payloadBytesMin, let context = ZSTD_createCCtx() else { return nil }
        defer { ZSTD_freeCCtx(context) }
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, windowLog)
        var failed = false
        let out = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
            let written = ZSTD_compress2(context, buffer.baseAddress, buffer.count, bytes, bytes.count)
            // "Does not fit" is what it says of bytes that do not get shorter.
            failed = ZSTD_isError(written) != 0
            count = failed ? 0 : written
        }
        return failed || out.count >= bytes.count || bytes.count > out.count * ratioMax ? nil : out
    }

    /// - Parameter count: what it must come to; never is more memory taken, whatever the frame says of itself.
    static func expanded(_ bytes: ArraySlice<UInt8>, to count: Int) throws(SyncError) -> [UInt8] {
        guard count <= SyncLimits.payloadBytesMax, count <= bytes.count * ratioMax else { throw .tooLarge("payload") }
        var written = 0
        let out = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            written = bytes.withUnsafeBytes {
                ZSTD_decompress(buffer.baseAddress, buffer.count, $0.baseAddress, $0.count)
            }
            filled = ZSTD_isError(written) != 0 ? 0 : written
        }
        guard ZSTD_isError(written) == 0, out.count == count else { throw .malformed("payload does not expand") }
        return out
    }
}
