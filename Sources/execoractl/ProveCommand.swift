import Glibc
import JSONText
import Ledger
import LedgerSync
import Seals

/// `execoractl ledger prove`: what shows to anyone, without this device and without the gateway, that an entry was
/// told to the gateway: the entry, the chain from it to what the gateway receipted, the receipt, and the proof of the
/// checkpoint the head was published in. `board/prove/verify` checks it with nothing of ours.
struct ProveCall {
    private var book = ""
    private var seq: Int64 = 0
    private var epoch: Int64 = 1
    private var checkpoint: String?
    private var target: String?

    static let usage = """
        usage: execoractl ledger prove --book FILE --seq N [--epoch N] [--checkpoint FILE] [--to FILE]
        --checkpoint is what `execorad checkpoint` fetched; without it the proof ends at the receipt.
        """

    /// A checkpoint's proof is a few kilobytes.
    static let checkpointBytesMax = 64 * 1024

    static func run(_ arguments: [String]) -> Int32 {
        guard let call = ProveCall(arguments) else {
            LedgerCall.standardError(usage)
            return 2
        }
        do {
            let proof = try call.proof()
            guard let target = call.target else {
                print(proof.text)
                return 0
            }
            try PrivateFile.write(proof.bytes + [0x0A], to: target)
            return 0
        } catch {
            LedgerCall.standardError("execoractl: not proven: \(error)")
            return error is Missing ? 1 : 2
        }
    }

    private struct Missing: Error, CustomStringConvertible { var description: String }

    private init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let flag = rest.popFirst() {
            guard let value = rest.popFirst() else { return nil }
            switch flag {
            case "--book": book = value
            case "--seq": seq = Int64(value) ?? 0
            case "--epoch": epoch = Int64(value) ?? 0
            case "--checkpoint": checkpoint = value
            case "--to": target = value
            default: return nil
            }
        }
        guard !book.isEmpty, seq >= 1, epoch >= 1 else { return nil }
    }

    private func proof() throws -> JSONValue {
        let store = try LedgerStore.inspect(path: book)
        let cursor = try store.cursor()
        guard cursor.epoch == epoch, cursor.seq >= seq, !cursor.receipt.isEmpty else {
            throw Missing(description: "entry \(seq) is not receipted yet (receipted through \(cursor.seq))")
        }
        guard let entry = try store.events(after: seq - 1, epoch: epoch, limit: 1).first, entry.seq == seq else {
            throw Missing(description: "the book has no entry \(seq)")
        }
        var published: JSONValue?
        var last = cursor.seq
        if let checkpoint {
            let bytes = try PrivateFile.read(checkpoint, secret: false)
            guard bytes.count <= Self.checkpointBytesMax, let json = try? JSONValue(parsing: bytes),
                let leaf = json["leaf"]?.string.flatMap(Hex.bytes), leaf.count == 96
            else { throw Missing(description: "\(checkpoint) holds no checkpoint") }
            let publishedSeq = leaf[56..<64].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard publishedSeq >= UInt64(seq) else {
                throw Missing(description: "the checkpoint was made before entry \(seq); fetch a newer one")
            }
            last = max(last, Int64(clamping: publishedSeq))
            published = json
        }
        var after: [JSONValue] = []
        var at = seq
        while at < last {
            let page = try store.events(after: at, epoch: epoch, limit: Int(min(500, last - at)))
            guard let end = page.last?.seq else { break }
            after += page.map { .string(Hex.text(SHA256.digest($0.body))) }
            at = end
        }
        var members: [JSONValue.Member] = [
            .init("epoch", .integer(epoch)), .init("seq", .integer(seq)), .init("body", .string(Hex.text(entry.body))),
            .init("prev", .string(Hex.text(entry.prev))), .init("after", .array(after)),
            .init("receipt", .string(Hex.text(cursor.receipt))),
        ]
        if let published { members.append(.init("checkpoint", published)) }
        return .object(members)
    }
}
