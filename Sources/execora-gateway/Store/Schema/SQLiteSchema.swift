/// The tables of `gateway.sqlite`. `shop_id` leads every key that grows, so the same shape can be spread by shop
/// (`PostgresSchema`). Names of shops live here; names of customers, amounts and transcripts only inside
/// `batch.envelope`, as signed.
enum SQLiteSchema {
    /// Each brings the file from its index to the next version. Never changed once it has run anywhere: add one.
    static let migrations = [first, second, third, fourth, fifth]

    /// Kept in `user_version`; a newer file is refused.
    static var version: Int64 { Int64(migrations.count) }

    private static let first = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE shop(
            shop_id BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL,
            counters INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
        CREATE TABLE enrol_code(
            code_hash BLOB PRIMARY KEY, shop_id BLOB NOT NULL, expires_ms INTEGER NOT NULL,
            used_ms INTEGER, request_hash BLOB, answer BLOB) STRICT, WITHOUT ROWID;
        CREATE TABLE device(
            shop_id BLOB NOT NULL, device_id BLOB NOT NULL UNIQUE, series TEXT NOT NULL, ledger_key BLOB NOT NULL,
            enrolled_ms INTEGER NOT NULL, revoked_ms INTEGER,
            PRIMARY KEY(shop_id, device_id), UNIQUE(shop_id, series)) STRICT, WITHOUT ROWID;
        CREATE TABLE certificate(
            fingerprint BLOB PRIMARY KEY, shop_id BLOB NOT NULL, device_id BLOB NOT NULL, serial BLOB NOT NULL,
            not_after_ms INTEGER NOT NULL, revoked_ms INTEGER) STRICT, WITHOUT ROWID;
        CREATE TABLE device_head(
            shop_id BLOB NOT NULL, device_id BLOB NOT NULL, epoch INTEGER NOT NULL, next_seq INTEGER NOT NULL,
            head BLOB NOT NULL, receipt_no INTEGER NOT NULL, receipt_hash BLOB NOT NULL,
            PRIMARY KEY(shop_id, device_id)) STRICT, WITHOUT ROWID;
        CREATE TABLE batch(
            shop_id BLOB NOT NULL, device_id BLOB NOT NULL, epoch INTEGER NOT NULL, through_seq INTEGER NOT NULL,
            from_seq INTEGER NOT NULL, envelope BLOB NOT NULL, receipt BLOB NOT NULL, received_ms INTEGER NOT NULL,
            trace TEXT NOT NULL, PRIMARY KEY(shop_id, device_id, epoch, through_seq)) STRICT;
        CREATE TABLE event(
            shop_id BLOB NOT NULL, device_id BLOB NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
            hash BLOB NOT NULL, PRIMARY KEY(shop_id, device_id, epoch, seq)) STRICT, WITHOUT ROWID;
        CREATE TABLE quarantine(
            id INTEGER PRIMARY KEY, shop_id BLOB NOT NULL, device_id BLOB NOT NULL, reason TEXT NOT NULL,
            envelope BLOB NOT NULL, received_ms INTEGER NOT NULL, trace TEXT NOT NULL) STRICT;
        CREATE INDEX quarantine_by_device ON quarantine(shop_id, device_id);
        """

    /// Every key begins with the shop. Hashes of single entries go: the envelopes give them again.
    private static let second = """
        ALTER TABLE meta RENAME COLUMN key TO name;
        DROP TABLE event;
        ALTER TABLE enrol_code RENAME TO old_code;
        CREATE TABLE enrol_code(
            shop_id BLOB NOT NULL, code_hash BLOB NOT NULL, expires_ms INTEGER NOT NULL,
            used_ms INTEGER, request_hash BLOB, answer BLOB,
            PRIMARY KEY(shop_id, code_hash)) STRICT, WITHOUT ROWID;
        INSERT INTO enrol_code SELECT shop_id, code_hash, expires_ms, used_ms, request_hash, answer FROM old_code;
        DROP TABLE old_code;
        CREATE INDEX enrol_code_by_hash ON enrol_code(code_hash);
        ALTER TABLE device RENAME TO old_device;
        CREATE TABLE device(
            shop_id BLOB NOT NULL, device_id BLOB NOT NULL, series TEXT NOT NULL, ledger_key BLOB NOT NULL,
            enrolled_ms INTEGER NOT NULL, revoked_ms INTEGER,
            PRIMARY KEY(shop_id, device_id), UNIQUE(shop_id, series)) STRICT, WITHOUT ROWID;
        INSERT INTO device SELECT shop_id, device_id, series, ledger_key, enrolled_ms, revoked_ms FROM old_device;
        DROP TABLE old_device;
        CREATE INDEX device_by_id ON device(device_id);
        ALTER TABLE certificate RENAME TO old_certificate;
        CREATE TABLE certificate(
            shop_id BLOB NOT NULL, fingerprint BLOB NOT NULL, device_id BLOB NOT NULL, serial BLOB NOT NULL,
            not_after_ms INTEGER NOT NULL, revoked_ms INTEGER,
            PRIMARY KEY(shop_id, fingerprint)) STRICT, WITHOUT ROWID;
        INSERT INTO certificate
            SELECT shop_id, fingerprint, device_id, serial, not_after_ms, revoked_ms FROM old_certificate;
        DROP TABLE old_certificate;
        CREATE INDEX certificate_by_device ON certificate(shop_id, device_id);
        ALTER TABLE quarantine RENAME TO old_quarantine;
        CREATE TABLE quarantine(
            shop_id BLOB NOT NULL, device_id BLOB NOT NULL, envelope_hash BLOB NOT NULL, reason TEXT NOT NULL,
            envelope BLOB NOT NULL, received_ms INTEGER NOT NULL, trace TEXT NOT NULL,
            PRIMARY KEY(shop_id, device_id, envelope_hash)) STRICT;
        INSERT INTO quarantine
            SELECT shop_id, device_id, randomblob(32), reason, envelope, received_ms, trace FROM old_quarantine;
        DROP TABLE old_quarantine;
        """

    private static let third = """
        CREATE TABLE past_epoch(
            shop_id BLOB NOT NULL, device_id BLOB NOT NULL, epoch INTEGER NOT NULL, last_seq INTEGER NOT NULL,
            head BLOB NOT NULL, closed_ms INTEGER NOT NULL,
            PRIMARY KEY(shop_id, device_id, epoch)) STRICT, WITHOUT ROWID;
        """

    /// The log of each shop, and what it has said of each counter so far.
    private static let fourth = """
        CREATE TABLE shop_log(
            shop_id BLOB NOT NULL, sseq INTEGER NOT NULL, hash BLOB NOT NULL, kind INTEGER NOT NULL,
            head BLOB NOT NULL, body BLOB, device_id BLOB NOT NULL, epoch INTEGER, through_seq INTEGER,
            PRIMARY KEY(shop_id, sseq)) STRICT, WITHOUT ROWID;
        CREATE TABLE log_place(
            shop_id BLOB NOT NULL, device_id BLOB NOT NULL, ledger_key BLOB NOT NULL, series TEXT NOT NULL,
            is_revoked INTEGER NOT NULL,
            epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
            PRIMARY KEY(shop_id, device_id)) STRICT, WITHOUT ROWID;
        """

    /// Ledger keys that were changed for others, each with the word of both.
    private static let fifth = """
        CREATE TABLE past_key(
            shop_id BLOB NOT NULL, device_id BLOB NOT NULL, ledger_key BLOB NOT NULL, until_epoch INTEGER NOT NULL,
            until_seq INTEGER NOT NULL, handover TEXT NOT NULL, taken_ms INTEGER NOT NULL,
            PRIMARY KEY(shop_id, device_id, ledger_key)) STRICT, WITHOUT ROWID;
        """
}
