import JSONText
import Ledger

/// The grammar alone against a large shop, for measuring: no book, no answer.
public struct GrammarBench {
    private let interpreter: Interpreter

    /// - Parameters:
    ///   - world: its customers and products come first; made-up ones fill up to the counts.
    ///   - customers: how many people the shop has.
    ///   - products: how many things it sells.
    public init(world: ShopWorld, customers: Int, products: Int) {
        var people = world.customers.map(\.details)
        var wares = world.products.map(\.details)
        var random = CaseRandom(seed: 5)
        while people.count < customers {
            people.append(CustomerDetails(name: Self.name(&random) + " " + Self.name(&random)))
        }
        while wares.count < products {
            wares.append(
                ProductDetails(name: Self.name(&random) + " " + Self.name(&random), unit: "packet", price: Paise(1000)))
        }
        let shelf = Shelf(
            customers: people.enumerated().map {
                Customer(id: CustomerID(rawValue: Int64($0.offset)), details: $0.element)
            },
            products: wares.enumerated().map { Product(id: ProductID(rawValue: Int64($0.offset)), details: $0.element) }
        )
        interpreter = Interpreter(
            grammar: .builtIn, shelf: shelf, context: [], now: WallTime(milliseconds: 1_772_600_400_000))
    }

    /// Reads one text.
    /// - Parameter withNames: resolves the name in it too, as the dialogue does.
    /// - Returns: true when a line of the intents took it.
    public func read(_ text: String, withNames: Bool) -> Bool {
        let heard = interpreter.interpret(text)
        if withNames, let said = heard.request.spokenName { _ = interpreter.shelf.matcher.resolve(said) }
        return heard.rule != nil
    }

    /// Searches the sounds of one text, as is done with every heard transcript.
    /// - Returns: true when a sentence of the grammar was found.
    public func decode(_ text: String) -> Bool {
        guard let stream = SoundStream(interpreter.prepared(text).tokens) else { return false }
        return !Decoder(grammar: interpreter.grammar, shelf: interpreter.shelf).decode(stream).isEmpty
    }

    private static func name(_ random: inout CaseRandom) -> String {
        let starts = ["Ba", "Cha", "De", "Go", "Ja", "Ka", "La", "Ma", "Na", "Pra", "Ri", "Sha", "Ta", "Vi", "Ya"]
        let ends = [
            "bir", "chand", "dev", "gopal", "jit", "kesh", "lal", "mohan", "nath", "pal", "raj", "sen", "tej", "vant",
        ]
        return starts.randomElement(using: &random)! + ends.randomElement(using: &random)!
    }
}
