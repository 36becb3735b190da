/// What the book keeps of its file in memory. A value: a commit that fails puts the one from before back, and as the
/// dictionaries are shared until they change, keeping it costs nothing.
struct Memory {
    /// The newest event; each commit needs it.
    var newest: ChainHead
    /// Everybody, decrypted; 500 customers are about 200 kB.
    var people: [CustomerID: Person] = [:]
    /// Who answers for whom after a merge. Apart from the people, as every balance asks it and it is nearly always empty.
    var mergedInto: [CustomerID: CustomerID] = [:]
    /// Who of them is known at other counters too, with what is owed there; by the number that answers.
    var kin: [CustomerID: Kin] = [:]
    /// True once the file was seen to have tables of the shop's log.
    var hasShopTables = false
    /// Details of all products; their stock is in the table.
    var goods: [ProductID: ProductDetails] = [:]
    var rules = ShopRules()
    /// Key of the shop itself, for what is sent to nobody known.
    var shopKey: [UInt8]?
    /// True once this run has named its boot in the journal.
    var hasNamedBoot = false
    /// Whose keys were destroyed while the log, or a backup, may still hold their bytes.
    var forgotten: [CustomerID] = []
}
