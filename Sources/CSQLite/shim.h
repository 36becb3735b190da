/* SQLite for Ledger alone (and the gateway's store). No logic. */
#ifndef EXECORA_CSQLITE_SHIM_H
#define EXECORA_CSQLITE_SHIM_H
#include <sqlite3.h>
#endif
