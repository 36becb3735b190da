/// A multipart/form-data body, as bytes. Source: RFC 7578.
struct MultipartForm {
    let boundary: String
    private var parts: [UInt8] = []

    /// - Parameter boundary: stands nowhere in the content; eighty random bits of a turn do not, by chance.
    init(boundary: String) { self.boundary = boundary }

    var contentType: String { "multipart/form-data; boundary=\(boundary)" }
    var bytes: [UInt8] { parts + Array("--\(boundary)--\r\n".utf8) }

    mutating func add(_ name: String, _ value: String) {
        parts += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8)
    }

    mutating func addOgg(_ name: String, _ content: [UInt8]) {
        let head = """
            --\(boundary)\r
            Content-Disposition: form-data; name="\(name)"; filename="turn.ogg"\r
            Content-Type: audio/ogg\r
            \r

            """
        parts += Array(head.utf8) + content + Array("\r\n".utf8)
    }
}
