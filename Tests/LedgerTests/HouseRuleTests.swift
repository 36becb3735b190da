import Glibc
import Testing

/// Rules of the room that the compiler does not know.
@Suite struct HouseRuleTests {
    private static let room = String(#filePath.split(separator: "/").dropLast(3).joined(separator: "/"))

    /// Every Swift file below a folder, with its text.
    private func sources(_ folder: String) -> [(name: String, text: String)] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var found: [(String, String)] = []
        while let item = readdir(stream) {
            let name = withUnsafePointer(to: &item.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            let path = folder + "/" + name
            if name.hasSuffix(".swift") {
                guard let file = fopen(path, "rb") else { continue }
                defer { fclose(file) }
                var bytes = [UInt8](repeating: 0, count: 1 << 20)
                let count = fread(&bytes, 1, bytes.count, file)
                found.append((name, String(decoding: bytes[..<count], as: UTF8.self)))
            } else {
                found += sources(path)
            }
        }
        return found
    }

    @Test func `the room of money has no floating point number`() {
        let files = sources("/" + Self.room + "/Sources/Ledger")
        #expect(files.count > 20)
        for (name, text) in files {
            for word in ["Double", "Float", "CGFloat", "sqlite3_column_double", "sqlite3_bind_double", "REAL"] {
                #expect(!text.contains(word), "\(word) in \(name)")
            }
        }
    }

    @Test func `SQLite is imported by the connection and the doctor alone`() {
        let importers = sources("/" + Self.room + "/Sources/Ledger").filter { $0.text.contains("import CSQLite") }.map(
            \.name)
        #expect(Set(importers) == ["Connection.swift", "LedgerStore+Doctor.swift"])
    }
}
