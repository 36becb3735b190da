import Seals

/// How a customer's key lies in the book: a byte for the scheme, then the key bare (0) or sealed by the device (1).
struct KeyWrap {
    var wrappingKey: [UInt8]?

    private static let binding = Array("execora/customer-key/v1".utf8)

    func wrap(_ key: [UInt8]) throws(BookError) -> [UInt8] {
        guard let wrappingKey else { return [0] + key }
        do {
            return [1] + (try SealedBox.seal(key, key: wrappingKey, binding: Self.binding))
        } catch {
            throw .storage(code: 0, operation: "seal")
        }
    }

    /// Nil when this device's key does not open it.
    func unwrap(_ stored: [UInt8]) -> [UInt8]? {
        switch stored.first {
        case 0 where stored.count == 1 + SealedBox.keyBytes: return Array(stored.dropFirst())
        case 1:
            guard let wrappingKey else { return nil }
            return try? SealedBox.open(Array(stored.dropFirst()), key: wrappingKey, binding: Self.binding)
        default: return nil
        }
    }
}
