/// The words, as data. Row n of `hindi` holds the spellings of n; the first Roman one and the first Devanagari one
/// are those the speller uses.
/// Source: Kellogg, "A Grammar of the Hindi Language", numerals; Roman spellings as shopkeepers type them.
enum NumberVocabulary {
    static let hindi: [String] = [
        "shunya शून्य sunya shoonya shuny sifar sifr सिफर शुन्य",
        "ek एक aik yek ik",
        "do दो doh",
        "teen तीन theen",
        "chaar चार char chaarh",
        "paanch पाँच पांच पाच panch paach pach punch panj",
        "chhah छह chhe che chah chha chey छः छ छे छै",
        "saat सात",
        "aath आठ ath aat aatth",
        "nau नौ nou nao",
        "das दस dus dass",
        "gyarah ग्यारह gyara igyarah gayarah gyaraah ग्यारा",
        "barah बारह baarah bara baara बारा",
        "terah तेरह",
        "chaudah चौदह choudah chauda chowdah chaudha",
        "pandrah पंद्रह पन्द्रह पंदरह पन्द्र pandra pandarah pundrah pandhrah",
        "solah सोलह sola soleh",
        "satrah सत्रह सतरह सत्तरह satra satarah satrha",
        "atharah अठारह अट्ठारह athara athra atthara aatharah",
        "unnis उन्नीस unnees unis unnish",
        "bees बीस bis",
        "ikkis इक्कीस ikkees ikis ekkis",
        "bais बाईस बाइस baees bayees bayis",
        "teis तेईस तेइस teyis tais teiis",
        "chaubis चौबीस chaubees chobis",
        "pachchis पच्चीस पचीस pachis pachees pacchis pachhis",
        "chhabbis छब्बीस chabbis chabis",
        "sattais सत्ताईस सत्ताइस sattaees sattayis",
        "atthais अट्ठाईस अट्ठाइस अठाईस अठाइस athais attais athaees",
        "unatis उनतीस उन्तीस उनत्तीस untis unntis untees",
        "tees तीस tis",
        "ikattis इकतीस इकत्तीस इक्तीस iktis ikatis ektis ekattis",
        "battis बत्तीस batis battees",
        "taintis तैंतीस तेंतीस तेतीस tentis tetis taitis",
        "chauntis चौंतीस चौतीस chautis",
        "paintis पैंतीस paitis pentis",
        "chhattis छत्तीस chattis",
        "saintis सैंतीस saitis sentis santis",
        "adtis अड़तीस artis adatis athtis arhtis arattis adattis",
        "untalis उनतालीस उन्तालीस उनचालीस unatalis unchalis",
        "chalis चालीस chaalis chalees",
        "iktalis इकतालीस इकतालिस ikatalis ektalis",
        "bayalis बयालीस बियालीस byalis biyalis",
        "taintalis तैंतालीस तेतालीस तिरतालीस tentalis tetalis taitalis",
        "chavalis चवालीस चौवालीस चौंवालीस चव्वालीस chauvalis chaualis chauvalees",
        "paintalis पैंतालीस pentalis paitalis",
        "chhiyalis छियालीस छयालीस chiyalis chhayalis chhialis",
        "saintalis सैंतालीस sentalis saitalis",
        "adtalis अड़तालीस artalis adatalis arhtalis athtalis",
        "unchas उनचास उन्चास उनंचास unanchas unachas",
        "pachas पचास pacas",
        "ikyavan इक्यावन ikavan ekyavan ikyaban ikkavan",
        "bavan बावन bawan",
        "tirpan तिरपन तिरेपन त्रेपन tirepan trepan tarepan terpan",
        "chauvan चौवन चव्वन chowan choan chauan",
        "pachpan पचपन pachapan pachhpan",
        "chhappan छप्पन chappan",
        "sattavan सत्तावन satavan",
        "atthavan अट्ठावन अठावन athavan attavan",
        "unsath उनसठ unasath unsat",
        "saath साठ sath saathh",
        "iksath इकसठ ikasath iksat eksath",
        "basath बासठ basat",
        "tirsath तिरसठ तिरेसठ त्रेसठ tiresath tresath tirasath",
        "chaunsath चौंसठ चौसठ chausath",
        "painsath पैंसठ paisath pensath",
        "chhiyasath छियासठ छासठ chiyasath chhasath chhiyasat",
        "sarsath सड़सठ सरसठ sadsath sadasath sarasath",
        "adsath अड़सठ arsath adasath athsath arasath",
        "unhattar उनहत्तर उन्हत्तर unahattar unhatar unahatar",
        "sattar सत्तर satar",
        "ikhattar इकहत्तर इकत्तर ikahattar ekhattar ikhatar",
        "bahattar बहत्तर bahatar",
        "tihattar तिहत्तर tehattar tihatar",
        "chauhattar चौहत्तर chohattar chauhatar",
        "pachhattar पचहत्तर पिचहत्तर पचत्तर पछत्तर pachattar pichhattar pachahattar pichattar pichahattar",
        "chhihattar छिहत्तर chihattar chhiyattar chhahattar",
        "satattar सतहत्तर सतत्तर sathattar satahattar satthattar",
        "athhattar अठहत्तर अठत्तर athattar atthattar athahattar",
        "unasi उनासी उन्यासी उन्नासी unyasi unnasi",
        "assi अस्सी asi assee",
        "ikyasi इक्यासी ikasi ekyasi",
        "bayasi बयासी byasi biyasi",
        "tirasi तिरासी terasi trasi",
        "chaurasi चौरासी chorasi",
        "pachasi पचासी पिचासी pichasi",
        "chhiyasi छियासी chiyasi chhiasi",
        "sattasi सत्तासी सतासी satasi",
        "athasi अट्ठासी अठासी atthasi attasi",
        "navasi नवासी nawasi",
        "nabbe नब्बे नव्वे nabe navve nabbey nave",
        "ikyanave इक्यानवे इक्यानबे ikyanve ikanve ikyanbe",
        "banave बानवे बानबे banve bayanve banbe",
        "tiranave तिरानवे तिरानबे tiranve tiranbe teranve",
        "chauranave चौरानवे चौरानबे chauranve chauranbe",
        "pachanave पचानवे पंचानवे पचानबे पिचानवे pachanve pichanve panchanve pachanbe panchanave",
        "chhiyanave छियानवे छियानबे chhiyanve chiyanve chhianve",
        "sattanave सत्तानवे सत्तानबे sattanve satanve sattanbe",
        "atthanave अट्ठानवे अठानवे अट्ठानबे अठानबे atthanve athanve athanave atthanbe",
        "ninyanave निन्यानवे निन्यानबे निन्नानवे ninyanve ninanve ninyanbe nindyanve ninnanve",
    ]

    static let english: [(Int, String)] = [
        (0, "zero jero zeero ज़ीरो जीरो ज़ेरो"),
        (1, "one वन"), (2, "two टू टु"), (3, "three थ्री थ्रि"), (4, "four फोर फ़ोर"), (5, "five फाइव फ़ाइव फाईव"),
        (6, "six सिक्स"), (7, "seven सेवन सेवेन"), (8, "eight एट एइट ऐट"), (9, "nine नाइन नाईन"), (10, "ten टेन"),
        (11, "eleven इलेवन"), (12, "twelve ट्वेल्व"), (13, "thirteen थर्टीन"), (14, "fourteen फोर्टीन"),
        (15, "fifteen फिफ्टीन"), (16, "sixteen सिक्सटीन"), (17, "seventeen सेवेंटीन सेवनटीन"),
        (18, "eighteen एटीन"), (19, "nineteen नाइनटीन"), (20, "twenty ट्वेंटी ट्वेन्टी"), (30, "thirty थर्टी"),
        (40, "forty fourty फोर्टी"), (50, "fifty फिफ्टी"), (60, "sixty सिक्सटी"), (70, "seventy सेवेंटी सेवनटी"),
        (80, "eighty एटी"), (90, "ninety नाइनटी नाइंटी"),
    ]

    static let scales: [(Int64, String)] = [
        (100, "sau सौ sou"),
        (1000, "hazaar हज़ार हजार hazar haazar hajar hajaar haajar hazzar"),
        (100_000, "lakh लाख laakh lac lakhs lacs laakhs"),
        (10_000_000, "karod करोड़ करोड karor crore crores caror करोर क्रोर"),
        (1_000_000_000, "arab अरब"),
    ]

    static let englishScales: [(Int64, String)] = [
        (100, "hundred hundreds हंड्रेड हन्ड्रेड"), (1000, "thousand thousands थाउज़ेंड थाउजंड थाउसेंड"),
        (1_000_000, "million मिलियन"),
    ]

    /// Millionths. No billion: "arab" says it, and a shop that is told a billion was misheard.
    static let fractions: [(Int64, String)] = [
        (500_000, "aadha आधा half adha aadhi aadhe adhi adhe आधी आधे हाफ"),
        (1_500_000, "dedh डेढ़ डेढ derh dhed ded deedh"),
        (2_500_000, "dhai ढाई ढाइ adhai अढ़ाई dhaai dhayi adhaai"),
    ]

    static let quarter = "paav पाव pav pao paao quarter quarters chauthai chothai क्वार्टर चौथाई"
    static let quarterMore = "sava सवा sawa savaa"
    static let halfMore = "sadhe साढ़े साढे saadhe sarhe saarhe sadde sade"
    static let quarterLess = "paune पौने pauna पौना pona pone poune पोना"

    static let rupees: Set<String> = words(
        "rupaye rupay rupees rupee rupe rupya rupaya rupiya rupiye rupey rupye rs re inr ₹ रुपये रुपए रुपया रुपे रुपय "
            + "रूपये रूपए रूपया रुपयों रुपैया रुपीज रूपीज bucks")
    static let paise: Set<String> = words("paise paisa pese पैसे पैसा")
    /// Words that only point at a sum: "sirf 500", "500 only".
    static let pointers: Set<String> = words("only sirf bas kewal keval matra just सिर्फ केवल मात्र बस +")
    /// Verb stems an imperative "do" follows: "kar do", "likh do", "udhaar do". Nothing is counted there.
    static let stemsBeforeDo: Set<String> = words(
        "kar likh de bhej bana laga hata bata dikha bol nikal nikaal sunaa suna rakh jod ghata badha daal dal mita dila "
            + "bhejwa banwa likhwa karwa chadha utar utaar badal hata chhod chod chala band roko rok khol udhaar udhar "
            + "credit discount price note add save record update cancel delete remove confirm send print kam "
            + "कर लिख दे भेज बना लगा हटा बता दिखा बोल निकाल सुना रख जोड़ घटा बढ़ा डाल मिटा दिला चढ़ा उतार बदल छोड़ चला "
            + "बंद रोक खोल उधार क्रेडिट नोट ऐड सेव भिजवा करवा")

    private static func words(_ text: String) -> Set<String> {
        Set(text.split(separator: " ").map { Script.folded($0) })
    }
}
