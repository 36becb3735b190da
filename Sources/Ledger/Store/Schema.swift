/// The tables. `event` is the truth and immutable; `person` and `memo` hold personal data under a key of each customer,
/// outside of the journal so that it can be destroyed; `cursor`, `state` and `meta` are small durable state. The rest
/// are projections, which `rebuild` makes anew from `event`.
///
/// `place` is an event's epoch and number as one integer (`Place`).
enum Schema {
    /// 2 adds `hold`, `credit_note`, `batch` and `firing`, and numbers of credit notes to `series`.
    static let version: Int64 = 2
    /// "EXEC" in ASCII: what `file` and a technician see in the header.
    static let applicationID: Int64 = 0x4558_4543

    /// FULL: a commit is on flash before COMMIT returns. At NORMAL a power cut loses commits that were acknowledged.
    /// `secure_delete`: a destroyed key is overwritten, not only unlinked.
    static let settings = """
        PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = ON;
        PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        PRAGMA mmap_size = 0;
        PRAGMA secure_delete = ON;
        PRAGMA wal_autocheckpoint = 256;
        PRAGMA journal_size_limit = 4194304;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -2048;
        """

    static let truth = """
        CREATE TABLE event(place INTEGER PRIMARY KEY, body BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
        CREATE TABLE person(customer INTEGER PRIMARY KEY, key BLOB NOT NULL) STRICT;
        CREATE TABLE memo(place INTEGER PRIMARY KEY, customer INTEGER NOT NULL, is_person INTEGER NOT NULL,
          sealed BLOB NOT NULL) STRICT;
        CREATE INDEX memo_person ON memo(place) WHERE is_person = 1;
        CREATE TABLE state(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE cursor(one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
          hash BLOB NOT NULL, receipt BLOB NOT NULL) STRICT;
        CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
        """

    /// The projections that do not grow with every event, with the order that makes two copies comparable. Those that
    /// do are the cases of `RowTally.Table`.
    static let steadyTables: [(table: String, order: String)] = [
        ("balance", "account"), ("customer", "id"), ("product", "id"), ("draft", "customer"),
        ("day_figure", "day, kind"), ("reminder", "id"), ("outgoing", "place"), ("series", "code, year"),
        ("setting", "name"), ("hold", "id"), ("credit_note", "number"),
        ("batch", "product, number"), ("firing", "id"),
    ]

    /// Those of them that a book of an earlier version has.
    static func steadyTables(version: Int64) -> [(table: String, order: String)] {
        steadyTables.filter { version >= 2 || !["hold", "credit_note", "batch", "firing"].contains($0.table) }
    }

    static let projections = """
        CREATE TABLE request(id BLOB PRIMARY KEY, place INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE posting(account INTEGER NOT NULL, place INTEGER NOT NULL, leg INTEGER NOT NULL,
          amount INTEGER NOT NULL, PRIMARY KEY(account, place, leg)) STRICT, WITHOUT ROWID;
        CREATE TABLE balance(account INTEGER PRIMARY KEY, amount INTEGER NOT NULL, last_place INTEGER NOT NULL) STRICT;
        CREATE TABLE stock_move(product INTEGER NOT NULL, place INTEGER NOT NULL, leg INTEGER NOT NULL,
          quantity INTEGER NOT NULL, PRIMARY KEY(product, place, leg)) STRICT, WITHOUT ROWID;
        CREATE TABLE customer(id INTEGER PRIMARY KEY, place INTEGER NOT NULL, erased INTEGER NOT NULL DEFAULT 0,
          merged_into INTEGER) STRICT;
        CREATE TABLE product(id INTEGER PRIMARY KEY, details BLOB NOT NULL, stock INTEGER NOT NULL) STRICT;
        CREATE TABLE draft(customer INTEGER PRIMARY KEY, id BLOB NOT NULL, place INTEGER NOT NULL,
          made_at INTEGER NOT NULL) STRICT;
        CREATE TABLE invoice(number TEXT PRIMARY KEY, place INTEGER NOT NULL UNIQUE, total INTEGER NOT NULL) STRICT,
          WITHOUT ROWID;
        CREATE TABLE movement(place INTEGER PRIMARY KEY, kind INTEGER NOT NULL, reversed_by INTEGER) STRICT;
        CREATE TABLE day_figure(day INTEGER NOT NULL, kind INTEGER NOT NULL, amount INTEGER NOT NULL,
          PRIMARY KEY(day, kind)) STRICT, WITHOUT ROWID;
        CREATE TABLE reminder(id BLOB PRIMARY KEY, customer INTEGER NOT NULL, amount INTEGER NOT NULL,
          fires_at INTEGER NOT NULL, recurrence TEXT) STRICT, WITHOUT ROWID;
        CREATE TABLE outgoing(place INTEGER PRIMARY KEY, customer INTEGER) STRICT;
        CREATE TABLE series(code TEXT NOT NULL, year INTEGER NOT NULL, next INTEGER NOT NULL,
          PRIMARY KEY(code, year)) STRICT, WITHOUT ROWID;
        CREATE TABLE batch(product INTEGER NOT NULL, number TEXT NOT NULL, expires INTEGER, received INTEGER NOT NULL,
          PRIMARY KEY(product, number)) STRICT, WITHOUT ROWID;
        CREATE TABLE firing(id BLOB PRIMARY KEY, first_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE hold(id BLOB PRIMARY KEY, place INTEGER NOT NULL, customer INTEGER NOT NULL,
          made_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE credit_note(number TEXT PRIMARY KEY, place INTEGER NOT NULL UNIQUE, invoice TEXT NOT NULL,
          total INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE INDEX credit_note_invoice ON credit_note(invoice);
        CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
        """

    /// Kept by the database itself for each writing connection: were the postings of an event not to sum to zero, it
    /// would say so before COMMIT, whatever the code believes. In memory, so that it costs no page of flash.
    static let moneySum = """
        CREATE TEMP TABLE money_sum(amount INTEGER NOT NULL);
        INSERT INTO money_sum VALUES(0);
        CREATE TEMP TRIGGER posting_sum AFTER INSERT ON main.posting BEGIN
          UPDATE money_sum SET amount = amount + new.amount; END;
        """

    static var dropProjections: String {
        (steadyTables.map(\.table) + RowTally.Table.allCases.map(\.rawValue)).map { "DROP TABLE IF EXISTS \($0);" }
            .joined()
    }
}
