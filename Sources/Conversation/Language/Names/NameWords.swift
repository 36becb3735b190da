/// Words said with a name that are no part of it, as data.
enum NameWords {
    /// Courtesies. A customer whose name is one of them ("Chacha") is still found: they are optional, not removed.
    static let honorifics = words(
        "ji jee jii bhai bhaiya bhaiyya bhaia bhaijaan bhayya bhaisahab didi di sahab saheb sahib saab sir madam maam "
            + "mam uncle aunty auntie chacha chachi kaka kaki mama mami bhabhi bua dada dadi baba nana nani mausi mr mrs "
            + "ms miss shri shree sri shrimati smt dr seth sethji lala anna akka ben behen bahen behenji bahenji beta "
            + "babu mister bhau tai vahini garu appa begum miyan janab जी भाई भैया भईया दीदी साहब साहेब साब सर मैडम मैम अंकल आंटी चाचा चाची काका काकी मामा भाभी बुआ दादा दादी "
            + "बाबा मौसी श्री श्रीमती सेठ लाला बहन बेन बाबू मिस्टर")

    /// Words that tie a landmark to a name: "ATM wala", "mandir ke paas".
    static let connectives = words(
        "wala wale wali waala waale waali vala vale vali walla wallah walli ke ka ki paas pass pas saamne samne near "
            + "opposite the of from naam road par pe mein me वाला वाले वाली के का की पास सामने नाम")

    /// Courtesies written in one word with the name: Amitbhai, Sunitaben, Rameshji.
    static let suffixes = ["bhaiya", "bhai", "didi", "ben", "behen", "saab", "sahab", "ji"]

    /// The name without a courtesy grown onto it, or nil. "ji" comes off only where a consonant and a whole name
    /// stand before it: Rameshji, never Balaji or Ramji, which are names.
    static func bare(_ word: String) -> String? {
        for suffix in suffixes where word.hasSuffix(suffix) {
            let stem = word.dropLast(suffix.count)
            guard stem.count >= (suffix == "ji" ? 4 : 3) else { continue }
            if suffix == "ji", let last = stem.last, "aeiou".contains(last) { continue }
            return String(stem)
        }
        return nil
    }

    private static func words(_ text: String) -> Set<String> {
        Set(text.split(separator: " ").map { Script.folded($0) })
    }
}

/// Pet names: who may be meant by "Raju". They propose, they never decide.
enum PetNames {
    /// Folded pet name -> beginnings of names it stands for.
    private static let known: [String: [String]] = {
        var map: [String: [String]] = [:]
        for row in table.split(separator: "\n") {
            let words = row.split(separator: " ").map(String.init)
            map[words[0]] = Array(words.dropFirst())
        }
        return map
    }()

    private static let table = """
        raju rajesh rajendra rajiv rajkumar rajan raj rahul raja rajat rajvir
        sonu saurabh sourabh sonal sonali sonam sohan sonia sandeep sanjay sunil sunita
        monu mohan mohit manoj manish mohammad monika mukesh
        sandy sandeep sandip sandhya
        pappu pradeep prakash parmesh prem
        bablu babulal balram
        guddu gudiya govind
        pinky priyanka pinki
        pintu pritam pradeep
        bunty bharat
        vicky vikas vikram vikrant vivek
        lucky lakshman lakshmi lakhan
        sunny sunil sandeep surya
        ronny rohan rohit
        bittu brijesh
        chintu chetan chintan
        munna manoj mukesh
        montu manoj
        tinku trilok
        golu gopal gaurav
        kittu krishna kirti
        kishan krishna krishnan krishan
        kanha krishna kanhaiya
        laddu
        nandu nandkishore nandini anand
        bhola bholanath
        jaggu jagdish jagannath
        harry hari harish harpreet
        gullu gulshan gulab
        satte satish satyam
        tillu tilak
        dolly
        mintu
        ashu ashish ashok ashwin asha
        abhi abhishek abhinav abhay
        alok aloknath
        adi aditya
        dev devendra devesh devraj
        """

    /// Beginnings of the names a folded word is a pet name for.
    static func meant(by word: String) -> [String] { known[word] ?? [] }

    /// A stem with -u or -i behind a consonant: Viju for Vijay, Anu for Anita, Sandy for Sandeep.
    static func isStem(_ pet: [Sound], of name: [Sound]) -> Bool {
        guard pet.count >= 3, pet.count <= name.count + 1, let last = pet.last, last == .u || last == .i,
            !pet[pet.count - 2].isVowel
        else { return false }
        let stem = pet.dropLast()
        return name.count > stem.count && name.starts(with: stem)
    }
}
