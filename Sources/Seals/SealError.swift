import COpenSSL

/// What can go wrong with keys, seals and the files they live in.
public enum SealError: Error, Equatable {
    /// The box or signature was made with another key, or is damaged.
    case notAuthentic
    /// Bytes that are not what they should be; says what.
    case malformed(String)
    /// A file of the identity is not there: the device is not enrolled, or was only half enrolled.
    case missing(path: String)
    /// A private file others may read. The technician sets its mode to 0600 and asks who changed it.
    case exposed(path: String, mode: UInt32)
    /// The file system refused: `errno` and the operation.
    case file(code: Int32, operation: String, path: String)
    /// OpenSSL refused; its code and the operation, for the technician.
    case library(code: UInt, operation: String)

    static func last(_ operation: String) -> SealError {
        let code = ERR_get_error()
        ERR_clear_error()
        return .library(code: code, operation: operation)
    }
}
