// LedgerSync
