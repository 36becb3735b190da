import JSONText
import Seals

/// What a technician takes home: a tar of small text files, without anything private, and a manifest that says what is
/// in it, with digests, and what was left out.
///
/// The files are put together from what the socket shows at the level of tech: identifiers, codes, sizes and times. At
/// the level of service the words of the turns are in it, and the manifest says so.
struct Bundle {
    struct File {
        var name: String
        var bytes: [UInt8]
    }

    private(set) var files: [File] = []

    mutating func add(_ name: String, _ value: JSONValue) {
        files.append(File(name: name, bytes: value.bytes + [0x0A]))
    }
    mutating func add(_ name: String, _ lines: [String]) {
        files.append(File(name: name, bytes: Array((lines.joined(separator: "\n") + "\n").utf8)))
    }

    /// Words of turns are in it: the caller was at the level of service.
    var holdsWords = false

    private var leftOut: [JSONValue] {
        (holdsWords ? [] : ["what was said and answered", "names, phones and amounts"])
            + [
                "sound", "keys and certificates' private halves", "the book itself",
                "the kernel's own log, which the daemon may not read: journalctl -k",
            ]
    }

    /// Ustar (POSIX.1-1988): a header block of 512 bytes a file, the content padded to 512, two empty blocks.
    func tar(at seconds: Int64) -> [UInt8] {
        let manifest = JSONValue.object([
            .init(
                "files",
                .array(
                    files.map {
                        [
                            "name": .string($0.name), "bytes": .integer(Int64($0.bytes.count)),
                            "sha256": .string(Hex.text(SHA256.digest($0.bytes))),
                        ]
                    })), .init("holds_words", .bool(holdsWords)), .init("left_out", .array(leftOut)),
            .init("at_s", .integer(seconds)),
        ])
        var out: [UInt8] = []
        for file in [File(name: "manifest.json", bytes: manifest.bytes + [0x0A])] + files {
            out += Self.header(file, seconds)
            out += file.bytes
            out += [UInt8](repeating: 0, count: (512 - file.bytes.count % 512) % 512)
        }
        return out + [UInt8](repeating: 0, count: 1024)
    }

    private static func header(_ file: File, _ seconds: Int64) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ at: Int) { for (index, byte) in text.utf8.enumerated() { block[at + index] = byte } }
        func octal(_ value: Int64, _ digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        put("execora-bundle/" + file.name, 0)
        put(octal(0o600, 7), 100)
        put(octal(0, 7), 108)
        put(octal(0, 7), 116)
        put(octal(Int64(file.bytes.count), 11), 124)
        put(octal(seconds, 11), 136)
        put("        ", 148)
        put("0", 156)
        put("ustar", 257)
        put("00", 263)
        let sum = block.reduce(0) { $0 + Int64($1) }
        put(octal(sum, 6), 148)
        block[154] = 0
        block[155] = UInt8(ascii: " ")
        return block
    }
}
