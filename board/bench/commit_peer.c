/* The peer of `execoractl ledger bench`: the statements of one payment in a bare C loop, against the same schema, the
 * same settings and rows of the same size; no book, no chain, no checks. Prints the median commit in nanoseconds.
 *
 * usage: commit_peer BOOK COUNT      BOOK: a book left by the bench; COUNT payments are added behind its own.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const texts[] = {
    "BEGIN IMMEDIATE",
    "SELECT place FROM request WHERE id = ?",
    "SELECT amount FROM balance WHERE account = ?",
    "INSERT INTO event VALUES(?,?,?)",
    "INSERT INTO request VALUES(?,?)",
    "INSERT INTO posting VALUES(?,?,?,?)",
    "INSERT OR REPLACE INTO balance VALUES(?,?,?)",
    "INSERT INTO movement VALUES(?,?,?)",
    "SELECT amount FROM day_figure WHERE day = ? AND kind = ?",
    "INSERT OR REPLACE INTO day_figure VALUES(?,?,?)",
    "SELECT amount FROM money_sum",
    "COMMIT",
};
enum { BEGIN, KNOWN, BALANCE, EVENT, REQUEST, POSTING, SET_BALANCE, MOVEMENT, FIGURE, SET_FIGURE, SUM, COMMIT, TEXTS };

static sqlite3 *db;
static sqlite3_stmt *statements[TEXTS];

static void fail(const char *what) {
    fprintf(stderr, "commit_peer: %s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

static sqlite3_int64 run(int which) {
    sqlite3_int64 answer = 0;
    int code;
    while ((code = sqlite3_step(statements[which])) == SQLITE_ROW) answer = sqlite3_column_int64(statements[which], 0);
    if (code != SQLITE_DONE) fail(texts[which]);
    sqlite3_reset(statements[which]);
    return answer;
}

static void number(int which, int at, sqlite3_int64 value) { sqlite3_bind_int64(statements[which], at, value); }

static void bytes(int which, int at, const void *value, int count) {
    sqlite3_bind_blob(statements[which], at, value, count, SQLITE_TRANSIENT);
}

static sqlite3_int64 now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int compare(const void *left, const void *right) {
    sqlite3_int64 a = *(const sqlite3_int64 *)left, b = *(const sqlite3_int64 *)right;
    return (a > b) - (a < b);
}

int main(int count, char **words) {
    if (count != 3) return 2;
    int payments = atoi(words[2]);
    if (payments < 1 || sqlite3_open_v2(words[1], &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)) return 2;
    /* Schema.settings and Schema.moneySum of Sources/Ledger/Store/Schema.swift. */
    if (sqlite3_exec(db,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
            "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 256;"
            "PRAGMA journal_size_limit = 4194304; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048;"
            "CREATE TEMP TABLE money_sum(amount INTEGER NOT NULL); INSERT INTO money_sum VALUES(0);"
            "CREATE TEMP TRIGGER posting_sum AFTER INSERT ON main.posting BEGIN"
            "  UPDATE money_sum SET amount = amount + new.amount; END;", NULL, NULL, NULL)) fail("settings");
    for (int index = 0; index < TEXTS; index++)
        if (sqlite3_prepare_v3(db, texts[index], -1, SQLITE_PREPARE_PERSISTENT, &statements[index], NULL)) fail(texts[index]);
    sqlite3_stmt *newest, *sample;
    if (sqlite3_prepare_v2(db, "SELECT max(place) FROM event", -1, &newest, NULL)) fail("newest");
    sqlite3_step(newest);
    sqlite3_int64 place = sqlite3_column_int64(newest, 0);
    sqlite3_finalize(newest);
    /* A body as long as the bench's own. */
    if (sqlite3_prepare_v2(db, "SELECT length(body) FROM event ORDER BY place DESC LIMIT 1", -1, &sample, NULL)) fail("sample");
    sqlite3_step(sample);
    int length = sqlite3_column_int(sample, 0);
    sqlite3_finalize(sample);
    unsigned char *body = malloc(length), hash[32], id[16];
    sqlite3_int64 *times = malloc(sizeof *times * payments);
    srandom(1);
    for (int index = 0; index < payments; index++) {
        for (int at = 0; at < length; at++) body[at] = random();
        for (int at = 0; at < 32; at++) hash[at] = random();
        for (int at = 0; at < 16; at++) id[at] = random();
        sqlite3_int64 amount = 100 * (1 + index % 1000), accounts[2] = {index % 3 ? 1000 : 1010, (1 + index % 500) * 10000LL + 1100};
        sqlite3_int64 begun = now();
        run(BEGIN);
        bytes(KNOWN, 1, id, 16);
        run(KNOWN);
        number(BALANCE, 1, accounts[1]);
        run(BALANCE);
        place++;
        number(EVENT, 1, place);
        bytes(EVENT, 2, body, length);
        bytes(EVENT, 3, hash, 32);
        run(EVENT);
        bytes(REQUEST, 1, id, 16);
        number(REQUEST, 2, place);
        run(REQUEST);
        for (int leg = 0; leg < 2; leg++) {
            sqlite3_int64 part = leg ? -amount : amount;
            number(POSTING, 1, accounts[leg]);
            number(POSTING, 2, place);
            number(POSTING, 3, leg);
            number(POSTING, 4, part);
            run(POSTING);
            number(BALANCE, 1, accounts[leg]);
            sqlite3_int64 before = run(BALANCE);
            number(SET_BALANCE, 1, accounts[leg]);
            number(SET_BALANCE, 2, before + part);
            number(SET_BALANCE, 3, place);
            run(SET_BALANCE);
        }
        number(MOVEMENT, 1, place);
        number(MOVEMENT, 2, 31);
        sqlite3_bind_null(statements[MOVEMENT], 3);
        run(MOVEMENT);
        for (int figure = 0; figure < 2; figure++) {
            int kind = figure ? 3 : index % 3 ? 10 : 11;
            number(FIGURE, 1, 20000);
            number(FIGURE, 2, kind);
            sqlite3_int64 before = run(FIGURE);
            number(SET_FIGURE, 1, 20000);
            number(SET_FIGURE, 2, kind);
            number(SET_FIGURE, 3, before + amount);
            run(SET_FIGURE);
        }
        if (run(SUM)) fail("the postings do not sum to zero");
        run(COMMIT);
        times[index] = now() - begun;
    }
    qsort(times, payments, sizeof *times, compare);
    printf("%lld\n", (long long)times[payments / 2]);
    return 0;
}
