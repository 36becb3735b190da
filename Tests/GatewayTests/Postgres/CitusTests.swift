import Foundation
import Testing

@testable import execora_gateway

/// Citus is not in Debian: its one function is stood in for by one that checks what Citus would.
@Suite struct CitusTests {
    /// Every table is distributed by a column that leads its primary key and is in every unique index, which is what
    /// Citus asks; and no table is forgotten.
    @Test func `the schema can be distributed by shop`() async throws {
        let cluster = try await PostgresCluster.shared.get()
        let name = try cluster.database()
        _ = try PostgresMigration.run(PostgresPlace(dsn: cluster.dsn(name), index: 0, count: 1))
        try cluster.query(
            name,
            """
            CREATE TABLE distributed(name text PRIMARY KEY);
            CREATE FUNCTION create_distributed_table(
                table_name regclass, distribution_column text, colocate_with text DEFAULT 'default') RETURNS void
            LANGUAGE plpgsql AS $$
            BEGIN
                IF NOT EXISTS (
                    SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                    WHERE i.indrelid = table_name AND i.indisprimary AND a.attname = distribution_column)
                THEN RAISE EXCEPTION '% does not lead the key of %', distribution_column, table_name; END IF;
                IF EXISTS (
                    SELECT 1 FROM pg_index i WHERE i.indrelid = table_name AND i.indisunique AND NOT EXISTS (
                        SELECT 1 FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
                            AND a.attname = distribution_column))
                THEN RAISE EXCEPTION 'a unique index of % lacks %', table_name, distribution_column; END IF;
                INSERT INTO distributed VALUES (table_name::text);
            END $$;
            """)
        let script = try String(contentsOfFile: Program.checkout + "/board/citus/distribute.sql", encoding: .utf8)
            .replacingOccurrences(of: "CREATE EXTENSION IF NOT EXISTS citus;", with: "")
        try cluster.query(name, script)
        let left = try cluster.query(
            name,
            """
            SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            AND relname NOT IN (SELECT name FROM distributed) ORDER BY relname
            """)
        #expect(left.split(separator: "\n").map(String.init) == ["distributed", "meta"])
    }
}
