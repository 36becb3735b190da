/// A page of what the gateway holds of one device, as it goes down: batches in order, each with its receipt.
///
///     page = (length u32 big-endian | batch envelope | length u32 | receipt)*
public enum HeldBatches {
    /// When full: the page ends; the next is asked for behind its last entry. One batch always fits.
    public static let pageBytesMax = 512 * 1024

    public struct Held: Hashable, Sendable {
        public var envelope: [UInt8]
        public var receipt: [UInt8]

        public init(envelope: [UInt8], receipt: [UInt8]) {
            self.envelope = envelope
            self.receipt = receipt
        }

        var pageBytes: Int { 8 + envelope.count + receipt.count }
    }

    /// As many as fit, from the first.
    public static func page(_ held: [Held]) -> [UInt8] {
        var page: [UInt8] = []
        for one in held {
            guard page.isEmpty || page.count + one.pageBytes <= pageBytesMax else { break }
            for part in [one.envelope, one.receipt] {
                page += withUnsafeBytes(of: UInt32(part.count).bigEndian) { Array($0) } + part
            }
        }
        return page
    }

    public static func read(_ page: [UInt8]) throws(SyncError) -> [Held] {
        var held: [Held] = []
        var at = 0
        func part(_ most: Int) throws(SyncError) -> [UInt8] {
            guard page.count - at >= 4 else { throw .malformed("page ends in a frame") }
            let length = page[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= most else { throw .tooLarge("frame") }
            guard page.count - at - 4 >= length else { throw .malformed("page ends in a frame") }
            at += 4 + length
            return Array(page[at - length..<at])
        }
        while at < page.count {
            let envelope = try part(SyncLimits.wireBytesMax)
            held.append(Held(envelope: envelope, receipt: try part(SyncLimits.receiptBytesMax)))
        }
        return held
    }
}
