import Glibc
import Ledger

/// A generator whose sequence is its seed's alone (SplitMix64, Steele et al. 2014).
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// A counter with a book for tests: makes ids, keeps a clock that only moves when told.
final class Counter {
    var book: LedgerStore
    let path: String?
    var random: SeededRandom
    /// 2026-01-15 12:00 in the shop.
    var now = CivilTime(day: CivilDay(year: 2026, month: 1, day: 15), hour: 12, minute: 0).wallTime()

    init(path: String? = nil, seed: UInt64 = 1, configuration: LedgerConfiguration = .test()) throws {
        self.path = path
        random = SeededRandom(seed: seed)
        book = try LedgerStore.open(path: path, configuration: configuration)
    }

    func id() -> ULID { ULID(at: now, using: &random) }

    @discardableResult
    func does(_ command: Command, id: ULID? = nil, by: String = "voice") throws(BookError) -> Committed {
        try book.perform(command, id: id ?? self.id(), evidence: Evidence(confirmedBy: by), at: now)
    }

    func customer(_ name: String, opening: Int64 = 0) throws -> CustomerID {
        guard
            case .customer(let id) = try does(.createCustomer(CustomerDetails(name: name), opening: Paise(opening)))
                .outcome
        else { throw Surprise() }
        return id
    }

    func product(_ name: String, price: Int64, stock: Int64 = 0, gst: Int64 = 0) throws -> ProductID {
        var details = ProductDetails(name: name, unit: "kg", price: Paise(price))
        details.gstRate = BasisPoints(gst)
        guard case .product(let id) = try does(.createProduct(details, stock: MilliQuantity(stock))).outcome else {
            throw Surprise()
        }
        return id
    }

    func bill(_ customer: CustomerID?, _ lines: (ProductID, Int64, Int64)...) -> Bill {
        Bill(
            customer: customer,
            lines: lines.map { BillLine(product: $0.0, quantity: MilliQuantity($0.1), unitPrice: Paise($0.2)) })
    }

    func stock(_ product: ProductID) throws -> Int64? {
        try book.products().first { $0.id == product }?.stock.rawValue
    }
}

struct Surprise: Error {}

extension LedgerConfiguration {
    static let testDevice: [UInt8] = (0..<16).map { $0 }

    static func test(device: [UInt8] = testDevice, series: String = "A01", wallQuality: Int64 = 3, key: [UInt8]? = nil)
        -> LedgerConfiguration
    {
        LedgerConfiguration(
            deviceID: device, shopID: [UInt8](repeating: 9, count: 16), series: series,
            bootID: [UInt8](repeating: 7, count: 16), monotonicMilliseconds: { 5000 }, wallQuality: { wallQuality },
            wrappingKey: key)
    }
}

/// A folder of its own for one test, removed with the value.
final class Folder {
    let path: String

    init() {
        var template = Array("/tmp/execora-ledger-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    var book: String { path + "/book.sqlite" }

    var files: [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let item = readdir(folder) {
            let name = withUnsafePointer(to: &item.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    func bytes(_ name: String) -> [UInt8] {
        guard let file = fopen(path + "/" + name, "rb") else { return [] }
        defer { fclose(file) }
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&part, 1, part.count, file), count > 0 { all += part[..<count] }
        return all
    }

    func write(_ name: String, _ bytes: [UInt8]) {
        guard let file = fopen(path + "/" + name, "wb") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    deinit {
        for name in files { unlink(path + "/" + name) }
        rmdir(path)
    }
}

extension [UInt8] {
    /// True when the bytes stand somewhere in it.
    func holds(_ text: String) -> Bool {
        let needle = Array(text.utf8)
        guard count >= needle.count else { return false }
        return withUnsafeBytes { all in
            (0...count - needle.count).contains { start in
                all[start] == needle[0] && all[start..<start + needle.count].elementsEqual(needle)
            }
        }
    }
}
