/// How a name that was said is written: Roman script stays as said, each word with a capital; Devanagari is
/// transliterated, as the packs of the shop's language show names.
enum Naming {
    static func written(_ said: String) -> String {
        if Script.hasDevanagari(said) { return Transliteration.roman(said) }
        return said.split(separator: " ").map { word in
            word.prefix(1).uppercased() + word.dropFirst()
        }.joined(separator: " ")
    }
}
