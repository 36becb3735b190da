import Glibc

/// A file a client opened and sent along with its call (SCM_RIGHTS). The daemon writes to it and knows no path: it can
/// never be talked into opening what the client may not. Closed when nobody holds it any more. One owner, any thread.
public final class ClientFile: Sendable {
    let descriptor: Int32

    init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// A plain file that may be written. A pipe or a terminal could hold the writer for ever, so they are refused.
    public var isPlainAndWritable: Bool {
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return false }
        let mode = fcntl(descriptor, F_GETFL) & O_ACCMODE
        return mode == O_WRONLY || mode == O_RDWR
    }

    /// - Returns: `errno` of what failed, or nil when all was written.
    public func write(_ bytes: [UInt8]) -> Int32? {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count < 0 ? errno : EIO }
            done += count
        }
        return nil
    }

    /// To the disk, so that a technician may pull the stick.
    public func settle() { fsync(descriptor) }

    // The macros of cmsg(3) are not in Glibc's module. On 64-bit Linux a control message is its length (8 bytes), level
    // and type (4 bytes each), then its data: descriptors of 4 bytes, the whole padded to 8.
    private static let headerBytes = 16
    private static let rights: Int32 = 1  // SCM_RIGHTS
    private static let closeOnExec: Int32 = 0x4000_0000  // MSG_CMSG_CLOEXEC
    /// More than these in one piece are cut off by the kernel, which closes them.
    static let filesMax = 4

    /// Reads like `recv`, and takes what files came.
    static func receive(_ socket: Int32, into chunk: inout [UInt8]) -> (count: Int, files: [ClientFile]) {
        var control = [UInt64](repeating: 0, count: (headerBytes + 4 * filesMax + 7) / 8)
        var files: [ClientFile] = []
        let count = chunk.withUnsafeMutableBytes { bytes in
            control.withUnsafeMutableBytes { control in
                var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    let count = recvmsg(socket, &message, closeOnExec)
                    if count >= 0 {
                        files = taken(UnsafeRawBufferPointer(control), length: Int(message.msg_controllen))
                    }
                    return count
                }
            }
        }
        return (count, files)
    }

    /// Every descriptor in the control data. All are owned, so that none stays open unseen.
    private static func taken(_ control: UnsafeRawBufferPointer, length: Int) -> [ClientFile] {
        var files: [ClientFile] = []
        var at = 0
        while at + headerBytes <= length {
            let size = Int(control.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            guard size >= headerBytes, at + size <= length else { break }
            let level = control.loadUnaligned(fromByteOffset: at + 8, as: Int32.self)
            let type = control.loadUnaligned(fromByteOffset: at + 12, as: Int32.self)
            if level == SOL_SOCKET, type == rights {
                for place in stride(from: at + headerBytes, to: at + size - 3, by: 4) {
                    files.append(ClientFile(owning: control.loadUnaligned(fromByteOffset: place, as: Int32.self)))
                }
            }
            at += (size + 7) / 8 * 8
        }
        return files
    }

    /// Sends bytes with a file; the client's half.
    ///
    /// - Returns: how many bytes went, or -1 with `errno`.
    static func send(_ bytes: ArraySlice<UInt8>, with file: Int32, over socket: Int32) -> Int {
        var control = [UInt64](repeating: 0, count: 3)
        return bytes.withUnsafeBytes { bytes in
            control.withUnsafeMutableBytes { control in
                control.storeBytes(of: UInt64(headerBytes + 4), toByteOffset: 0, as: UInt64.self)
                control.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: Int32.self)
                control.storeBytes(of: rights, toByteOffset: 12, as: Int32.self)
                control.storeBytes(of: file, toByteOffset: 16, as: Int32.self)
                var vector = iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    return sendmsg(socket, &message, Int32(MSG_NOSIGNAL))
                }
            }
        }
    }
}
