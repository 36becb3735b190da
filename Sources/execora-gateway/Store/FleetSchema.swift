/// The tables of `gateway.sqlite`. `shop_id` leads every key that grows, so the same shape can be spread by shop.
/// Names of shops live here; names of customers, amounts and transcripts only inside `batch.envelope`, as signed.
enum FleetSchema {
    /// Kept in `user_version`; a newer file is refused.
    static let version: Int64 = 1

    static let script = """
        CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS shop(
            shop_id BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL,
            counters INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS enrol_code(
            code_hash BLOB PRIMARY KEY, shop_id BLOB NOT NULL, expires_ms INTEGER NOT NULL,
            used_ms INTEGER, request_hash BLOB, answer BLOB) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS device(
            shop_id BLOB NOT NULL, device_id BLOB NOT NULL UNIQUE, series TEXT NOT NULL, ledger_key BLOB NOT NULL,
            enrolled_ms INTEGER NOT NULL, revoked_ms INTEGER,
            PRIMARY KEY(shop_id, device_id), UNIQUE(shop_id, series)) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS certificate(
            fingerprint BLOB PRIMARY KEY, shop_id BLOB NOT NULL, device_id BLOB NOT NULL, serial BLOB NOT NULL,
            not_after_ms INTEGER NOT NULL, revoked_ms INTEGER) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS device_head(
            shop_id BLOB NOT NULL, device_id BLOB NOT NULL, epoch INTEGER NOT NULL, next_seq INTEGER NOT NULL,
            head BLOB NOT NULL, receipt_no INTEGER NOT NULL, receipt_hash BLOB NOT NULL,
            PRIMARY KEY(shop_id, device_id)) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS batch(
            shop_id BLOB NOT NULL, device_id BLOB NOT NULL, epoch INTEGER NOT NULL, through_seq INTEGER NOT NULL,
            from_seq INTEGER NOT NULL, envelope BLOB NOT NULL, receipt BLOB NOT NULL, received_ms INTEGER NOT NULL,
            trace TEXT NOT NULL, PRIMARY KEY(shop_id, device_id, epoch, through_seq)) STRICT;
        CREATE TABLE IF NOT EXISTS event(
            shop_id BLOB NOT NULL, device_id BLOB NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
            hash BLOB NOT NULL, PRIMARY KEY(shop_id, device_id, epoch, seq)) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS quarantine(
            id INTEGER PRIMARY KEY, shop_id BLOB NOT NULL, device_id BLOB NOT NULL, reason TEXT NOT NULL,
            envelope BLOB NOT NULL, received_ms INTEGER NOT NULL, trace TEXT NOT NULL) STRICT;
        CREATE INDEX IF NOT EXISTS quarantine_by_device ON quarantine(shop_id, device_id);
        """
}
