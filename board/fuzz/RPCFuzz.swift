// libFuzzer's way into the technician's socket: any bytes are what a client sent, in pieces whose sizes the first bytes
// say. Lines are put together, read as calls and answered, as the server's thread does it.
import JSONText

@testable import Diagnostics

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRPC(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard count > 1, let start else { return 0 }
    let bytes = UnsafeBufferPointer(start: start, count: count)
    let piece = 1 + Int(bytes[0])
    var lines = LineAssembler(bytesMax: 4096)
    var at = 1
    while at < count {
        let end = min(count, at + piece)
        lines.append(bytes[at..<end])
        at = end
        do {
            while let line = try lines.next() {
                guard !line.isEmpty else { continue }
                let answer: [UInt8]
                do {
                    let request = try RPCRequest(line)
                    precondition(!request.method.isEmpty && request.method.utf8.count <= 64, "a method without a name")
                    answer = RPCLine.result(request.parameters, id: request.id ?? .null)
                } catch {
                    answer = RPCLine.fault(error.fault, id: error.id)
                }
                // What is answered is one line, and JSON.
                precondition(answer.last == 0x0A && answer.filter { $0 == 0x0A }.count == 1, "not one line")
                precondition((try? JSONValue(parsing: Array(answer.dropLast()))) != nil, "an answer that is no JSON")
            }
        } catch {
            return 0
        }
    }
    return 0
}
