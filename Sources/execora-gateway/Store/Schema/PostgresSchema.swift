/// The same tables as `SQLiteSchema` on PostgreSQL. Every statement of the store names one `shop_id`, and `shop_id`
/// leads every primary key, so the tables can be distributed by it as they are (`board/citus/distribute.sql`).
enum PostgresSchema {
    /// Each brings the schema from its index to the next version. Never changed once it has run anywhere: add one.
    static let migrations = [
        """
        CREATE TABLE shop(
            shop_id bytea PRIMARY KEY, name text NOT NULL, created_ms bigint NOT NULL,
            counters bigint NOT NULL DEFAULT 0);
        CREATE INDEX shop_by_name ON shop(name);
        CREATE TABLE enrol_code(
            shop_id bytea NOT NULL, code_hash bytea NOT NULL, expires_ms bigint NOT NULL,
            used_ms bigint, request_hash bytea, answer bytea,
            PRIMARY KEY(shop_id, code_hash));
        CREATE INDEX enrol_code_by_hash ON enrol_code(code_hash);
        CREATE TABLE device(
            shop_id bytea NOT NULL, device_id bytea NOT NULL, series text NOT NULL, ledger_key bytea NOT NULL,
            enrolled_ms bigint NOT NULL, revoked_ms bigint,
            PRIMARY KEY(shop_id, device_id), UNIQUE(shop_id, series));
        CREATE INDEX device_by_id ON device(device_id);
        CREATE TABLE certificate(
            shop_id bytea NOT NULL, fingerprint bytea NOT NULL, device_id bytea NOT NULL, serial bytea NOT NULL,
            not_after_ms bigint NOT NULL, revoked_ms bigint,
            PRIMARY KEY(shop_id, fingerprint));
        CREATE INDEX certificate_by_device ON certificate(shop_id, device_id);
        CREATE TABLE device_head(
            shop_id bytea NOT NULL, device_id bytea NOT NULL, epoch bigint NOT NULL, next_seq bigint NOT NULL,
            head bytea NOT NULL, receipt_no bigint NOT NULL, receipt_hash bytea NOT NULL,
            PRIMARY KEY(shop_id, device_id)) WITH (fillfactor = 50);
        CREATE TABLE batch(
            shop_id bytea NOT NULL, device_id bytea NOT NULL, epoch bigint NOT NULL, through_seq bigint NOT NULL,
            from_seq bigint NOT NULL, envelope bytea NOT NULL, receipt bytea NOT NULL, received_ms bigint NOT NULL,
            trace text NOT NULL, PRIMARY KEY(shop_id, device_id, epoch, through_seq));
        ALTER TABLE batch ALTER COLUMN envelope SET STORAGE EXTERNAL;
        CREATE TABLE quarantine(
            shop_id bytea NOT NULL, device_id bytea NOT NULL, envelope_hash bytea NOT NULL, reason text NOT NULL,
            envelope bytea NOT NULL, received_ms bigint NOT NULL, trace text NOT NULL,
            PRIMARY KEY(shop_id, device_id, envelope_hash));
        """,
        """
        CREATE TABLE past_epoch(
            shop_id bytea NOT NULL, device_id bytea NOT NULL, epoch bigint NOT NULL, last_seq bigint NOT NULL,
            head bytea NOT NULL, closed_ms bigint NOT NULL, PRIMARY KEY(shop_id, device_id, epoch));
        """,
        """
        CREATE TABLE shop_log(
            shop_id bytea NOT NULL, sseq bigint NOT NULL, hash bytea NOT NULL, kind bigint NOT NULL,
            head bytea NOT NULL, body bytea, device_id bytea NOT NULL, epoch bigint, through_seq bigint,
            PRIMARY KEY(shop_id, sseq));
        CREATE TABLE log_place(
            shop_id bytea NOT NULL, device_id bytea NOT NULL, ledger_key bytea NOT NULL, series text NOT NULL,
            is_revoked bigint NOT NULL,
            epoch bigint NOT NULL, seq bigint NOT NULL, PRIMARY KEY(shop_id, device_id));
        """,
        """
        CREATE TABLE past_key(
            shop_id bytea NOT NULL, device_id bytea NOT NULL, ledger_key bytea NOT NULL, until_epoch bigint NOT NULL,
            until_seq bigint NOT NULL, handover text NOT NULL, taken_ms bigint NOT NULL,
            PRIMARY KEY(shop_id, device_id, ledger_key));
        """,
    ]

    static var version: Int64 { Int64(migrations.count) }

    /// `pg_advisory_lock` of whoever migrates: "execora" as a number.
    static let lock: Int64 = 0x65_7865_636F_7261

    /// `meta` is not of a shop: it says what this instance is.
    static let meta = "CREATE TABLE IF NOT EXISTS meta(name text PRIMARY KEY, value bytea NOT NULL)"
}
