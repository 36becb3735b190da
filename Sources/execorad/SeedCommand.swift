import Conversation
import Glibc
import JSONText
import Ledger

/// Opens an empty book with a shop's customers and products.
enum SeedCommand {
    static let worldBytesMax = 16 * 1024 * 1024

    static func run(_ configuration: ApplianceConfiguration, world path: String) -> Int32 {
        guard let bytes = FileBytes.read(path, bytesMax: worldBytesMax) else {
            complain("execorad: \(path) cannot be read: \(String(cString: strerror(errno)))")
            return 2
        }
        do {
            let world = try ShopWorld(json: try JSONValue(parsing: bytes))
            let household = try Household.open(configuration)
            let book = try household.openBook(configuration, wallQuality: { ClockTrust().quality })
            guard try book.head().seq == 0 else {
                complain(
                    "execorad: the book in \(configuration.stateFolder) already has entries; a shop is seeded once")
                return 1
            }
            var random = SystemRandomNumberGenerator()
            try world.seed(book, at: WallTime(milliseconds: Moment.wallMilliseconds()), using: &random)
            print("seeded: \(world.customers.count) customers, \(world.products.count) products")
            return 0
        } catch {
            complain("execorad: not seeded: \(error)")
            return 1
        }
    }
}
