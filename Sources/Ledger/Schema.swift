/// The tables. `event` is the truth, immutable; the rest are projections that `rebuild` makes anew from it, but for
/// `person` and `memo` (personal data under a key of each customer, outside the journal so that it can be destroyed),
/// `request`, `cursor` and `state`.
enum Schema {
    static let version: Int64 = 1
    /// "EXEC" in ASCII: what `file` and a technician see in the header.
    static let applicationID: Int64 = 0x4558_4543

    static let settings = """
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = ON;
        PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        PRAGMA mmap_size = 0;
        PRAGMA wal_autocheckpoint = 256;
        PRAGMA journal_size_limit = 4194304;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -512;
        """

    static let truth = """
        CREATE TABLE event(
          epoch INTEGER NOT NULL, seq INTEGER NOT NULL, id BLOB NOT NULL UNIQUE, type INTEGER NOT NULL,
          body BLOB NOT NULL, prev BLOB NOT NULL, hash BLOB NOT NULL, PRIMARY KEY(epoch, seq)) STRICT;
        CREATE TABLE request(id BLOB PRIMARY KEY, command BLOB NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
          outcome BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE person(customer INTEGER PRIMARY KEY, key BLOB, sealed BLOB) STRICT;
        CREATE TABLE memo(event BLOB PRIMARY KEY, customer INTEGER, sealed BLOB NOT NULL) STRICT;
        CREATE TABLE state(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
        CREATE TABLE cursor(
          one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
          receipt BLOB NOT NULL) STRICT;
        CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
        """

    static let projectionTables = [
        "posting", "balance", "stock_move", "customer", "product", "draft", "invoice", "payment", "reminder", "outgoing",
        "reversal", "series", "setting", "movement",
    ]

    static let projections = """
        CREATE TABLE posting(seq INTEGER NOT NULL, leg INTEGER NOT NULL, account INTEGER NOT NULL,
          amount INTEGER NOT NULL, PRIMARY KEY(seq, leg)) STRICT, WITHOUT ROWID;
        CREATE TABLE balance(account INTEGER PRIMARY KEY, amount INTEGER NOT NULL, last_seq INTEGER NOT NULL) STRICT;
        CREATE TABLE stock_move(seq INTEGER NOT NULL, leg INTEGER NOT NULL, product INTEGER NOT NULL,
          quantity INTEGER NOT NULL, PRIMARY KEY(seq, leg)) STRICT, WITHOUT ROWID;
        CREATE TABLE customer(id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, erased INTEGER NOT NULL DEFAULT 0,
          merged_into INTEGER) STRICT;
        CREATE TABLE product(id INTEGER PRIMARY KEY, details BLOB NOT NULL, stock INTEGER NOT NULL) STRICT;
        CREATE TABLE draft(id BLOB PRIMARY KEY, customer INTEGER NOT NULL UNIQUE, bill BLOB NOT NULL, made_at INTEGER NOT NULL,
          seq INTEGER NOT NULL) STRICT;
        CREATE TABLE invoice(number TEXT PRIMARY KEY, seq INTEGER NOT NULL UNIQUE, event BLOB NOT NULL, customer INTEGER,
          bill BLOB NOT NULL, total INTEGER NOT NULL, status TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
        CREATE TABLE payment(seq INTEGER NOT NULL, leg INTEGER NOT NULL, event BLOB NOT NULL, customer INTEGER NOT NULL,
          amount INTEGER NOT NULL, mode TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(seq, leg)) STRICT, WITHOUT ROWID;
        CREATE TABLE reminder(id BLOB PRIMARY KEY, customer INTEGER NOT NULL, amount INTEGER NOT NULL,
          fires_at INTEGER NOT NULL, recurrence TEXT) STRICT;
        CREATE TABLE outgoing(id BLOB PRIMARY KEY, event BLOB NOT NULL, kind TEXT NOT NULL, customer INTEGER, reference TEXT,
          seq INTEGER NOT NULL) STRICT;
        CREATE TABLE reversal(of BLOB PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE series(code TEXT NOT NULL, year INTEGER NOT NULL, next INTEGER NOT NULL,
          PRIMARY KEY(code, year)) STRICT, WITHOUT ROWID;
        CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
        CREATE TABLE movement(seq INTEGER PRIMARY KEY, event BLOB NOT NULL, kind TEXT NOT NULL, customer INTEGER,
          amount INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
        """
}
