import Ledger

extension LedgerStore: SyncBook {}
