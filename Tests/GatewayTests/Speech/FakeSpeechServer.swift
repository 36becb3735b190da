import Glibc
import Synchronization

/// An HTTP server on loopback that answers each request with the next of the answers it was given (the last one again and
/// again), and keeps what it was sent. One thread, one connection at a time: enough for a client that asks one by one.
final class FakeSpeechServer: Sendable {
    struct Answer: Sendable {
        var status = 200
        var headers: [String] = []
        var body = ""
        /// Milliseconds before the answer; the client may give up meanwhile.
        var afterMilliseconds: UInt32 = 0
        /// Close the connection instead of answering.
        var hangsUp = false
        /// Close the connection after so many bytes of the body.
        var cutAtByte: Int?
        /// Milliseconds between single bytes of the body.
        var dribbleMilliseconds: UInt32 = 0
    }

    let port: UInt16
    private let listener: Int32
    private let requests = Mutex<[[UInt8]]>([])

    var received: [[UInt8]] { requests.withLock { $0 } }
    var base: String { "http://127.0.0.1:\(port)" }
    var url: String { base + "/v1" }

    init(_ answers: [Answer]) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                precondition(bind(listener, $0, length) == 0 && listen(listener, 8) == 0, "no port on loopback")
                getsockname(listener, $0, &length)
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
        self.listener = listener
        self.port = port
        var thread = pthread_t()
        let work = Work(server: self, answers: answers)
        pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(work).toOpaque())
        pthread_detach(thread)
    }

    /// Ends the thread: its `accept` fails.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private final class Work {
        let server: FakeSpeechServer
        let answers: [Answer]

        init(server: FakeSpeechServer, answers: [Answer]) {
            self.server = server
            self.answers = answers
        }

        func run() {
            var number = 0
            while case let connection = accept(server.listener, nil, nil), connection >= 0 {
                defer { close(connection) }
                guard let request = read(connection) else { continue }
                server.requests.withLock { $0.append(request) }
                let answer = answers[min(number, answers.count - 1)]
                number += 1
                usleep(answer.afterMilliseconds * 1000)
                if answer.hangsUp { continue }
                let body = Array(answer.body.utf8)
                let head =
                    (["HTTP/1.1 \(answer.status) Said", "content-length: \(body.count)", "connection: close"]
                    + answer.headers).joined(separator: "\r\n") + "\r\n\r\n"
                var bytes = Array(head.utf8)
                if answer.dribbleMilliseconds > 0 {
                    _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                    for byte in body {
                        var one = byte
                        if send(connection, &one, 1, Int32(MSG_NOSIGNAL)) < 1 { break }
                        usleep(answer.dribbleMilliseconds * 1000)
                    }
                    continue
                }
                bytes += body.prefix(answer.cutAtByte ?? body.count)
                _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            }
            close(server.listener)
        }

        /// Head and body as they came; nil when the connection ended before.
        private func read(_ connection: Int32) -> [UInt8]? {
            var all: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while true {
                let text = String(decoding: all, as: UTF8.self)
                if let end = text.firstRange(of: "\r\n\r\n") {
                    let head = text[..<end.lowerBound].lowercased()
                    let length =
                        head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
                        .flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
                    if all.count >= text[..<end.upperBound].utf8.count + length { return all }
                }
                let count = recv(connection, &chunk, chunk.count, 0)
                guard count > 0 else { return nil }
                all += chunk[..<count]
            }
        }
    }
}
