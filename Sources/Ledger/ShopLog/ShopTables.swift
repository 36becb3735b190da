/// What the book keeps of the shop's log: how far it was applied, the other counters, their udhaar, who is whom. Made
/// with the first entry that comes, so that the book of a shop with one counter has none of it. No projection of this
/// journal and no truth either: the gateway's log, and the counters' own signatures behind it, are; it can be let go
/// and read again.
enum ShopTables {
    static let all = """
        CREATE TABLE IF NOT EXISTS shop_place(one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL,
          hash BLOB NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS counter(id INTEGER PRIMARY KEY, device BLOB NOT NULL UNIQUE, series TEXT NOT NULL,
          ledger_key BLOB NOT NULL, is_revoked INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
          head BLOB NOT NULL, as_of INTEGER NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS shared_posting(counter INTEGER NOT NULL, customer INTEGER NOT NULL,
          place INTEGER NOT NULL, leg INTEGER NOT NULL, amount INTEGER NOT NULL,
          PRIMARY KEY(counter, customer, place, leg)) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS shared_merge(device BLOB NOT NULL, customer INTEGER NOT NULL,
          by_owner INTEGER NOT NULL, into_device BLOB NOT NULL, into_customer INTEGER NOT NULL, place INTEGER NOT NULL,
          PRIMARY KEY(device, customer, by_owner)) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS shop_setting(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        """

    static let names = ["shop_place", "counter", "shared_posting", "shared_merge", "shop_setting"]

    static var empty: String { names.map { "DELETE FROM \($0);" }.joined() }
}
