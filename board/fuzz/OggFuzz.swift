// libFuzzer's way into the Ogg Opus reader: any bytes are a file. When the first byte is odd the checksums are put
// right first: else hardly anything would come past them.
@testable import OpusCoding

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOgg(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard count > 1, let start else { return 0 }
    var file = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    if start.pointee & 1 == 1 { repairChecksums(&file) }
    guard let recording = try? OggOpusReader.read(file) else { return 0 }
    precondition(recording.packets.count <= OggOpusReader.Limits().packetsMax, "more packets than the limit")
    precondition(recording.packets.reduce(0) { $0 + $1.bytes.count } <= file.count, "packets out of nothing")
    return 0
}

private func repairChecksums(_ file: inout [UInt8]) {
    var at = 0
    while at + OggPage.headBytes <= file.count {
        guard file[at...].starts(with: OggPage.capture) else {
            at += 1
            continue
        }
        let body = at + OggPage.headBytes + Int(file[at + 26])
        guard body <= file.count else { return }
        let end = file[at + OggPage.headBytes..<body].reduce(body) { $0 + Int($1) }
        guard end <= file.count else { return }
        for index in 22..<26 { file[at + index] = 0 }
        file.replaceSubrange(at + 22..<at + 26, with: littleEndian(OggChecksum.of(file[at..<end])))
        at = end
    }
}
