import Foundation
import JSONText
import Ledger

@testable import Conversation

/// Files beside the tests.
enum Fixture {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    static func bytes(_ name: String) -> [UInt8] {
        guard let data = try? Data(contentsOf: folder.appendingPathComponent(name)) else {
            fatalError("no fixture \(name)")
        }
        return Array(data)
    }

    static let world: JSONValue = try! JSONValue(parsing: bytes("world.json"))

    static func lines(_ name: String) -> [JSONValue] {
        bytes(name).split(separator: UInt8(ascii: "\n")).map { try! JSONValue(parsing: $0) }
    }
}

/// Compares one result line with what its case expects: the rules of the suite's checker, for cases.
struct Expectation {
    let world: JSONValue
    let scene: JSONValue

    /// Faults of the answers and, marked BOOK, of what stands in the book.
    func faults(of result: JSONValue) -> [String] {
        let say = scene["say"]?.array ?? []
        guard let steps = result["steps"]?.array, steps.count == say.count else { return ["not one step an item"] }
        var out: [String] = []
        for (index, want) in (scene["expectEach"]?.array ?? []).enumerated() where !want.isNull {
            out += answerFaults(want, steps[index]).map { "step \(index + 1): \($0)" }
        }
        return out + faults(scene["expect"]!, steps.last!, result["state"] ?? .null)
    }

    private func faults(_ want: JSONValue, _ step: JSONValue, _ state: JSONValue) -> [String] {
        if let any = want["anyOf"]?.array {
            return any.map { faults($0, step, state) }.min { $0.count < $1.count } ?? []
        }
        return answerFaults(want, step) + (want["state"].map { stateFaults($0, state).map { "BOOK \($0)" } } ?? [])
    }

    private func isOne(_ want: JSONValue, _ got: JSONValue?) -> Bool {
        want.array?.contains { $0.string == got?.string } ?? (want.string == got?.string)
    }

    private func answerFaults(_ want: JSONValue, _ step: JSONValue) -> [String] {
        var out: [String] = []
        if let intent = want["intent"], !isOne(intent, step["intent"]) {
            out.append("intent \(step["intent"]?.text ?? "")")
        }
        if let code = want["code"], !isOne(code, step["code"]) { out.append("code \(step["code"]?.text ?? "")") }
        for member in want["slots"]?.members ?? [] where !same(member.name, member.value, step["slots"]?[member.name]) {
            out.append("slot \(member.name) \(step["slots"]?[member.name]?.text ?? "absent")")
        }
        let speech = step["speech"]?.string ?? ""
        for item in want["speech"]?["contains"]?.array ?? [] where !says(speech, item) {
            out.append("speech lacks \(item.text)")
        }
        for item in want["speech"]?["excludes"]?.array ?? [] where says(speech, item) {
            out.append("speech says \(item.text)")
        }
        return out
    }

    // MARK: State

    private func stateFaults(_ want: JSONValue, _ got: JSONValue) -> [String] {
        let shop = try! ShopWorld.patched(world, by: scene["patch"])
        let gone = (want["customersAbsent"]?.array ?? []).compactMap(\.string)
        var out: [String] = []
        if got["journalValid"]?.bool != true { out.append("journal is not valid") }
        var balances: [String: JSONValue] = [:]
        for person in shop.customers where !gone.contains(person.details.name) {
            let isShared = shop.customers.count { fold($0.details.name) == fold(person.details.name) } > 1
            let name = isShared ? "\(person.details.name) (\(person.details.landmark ?? ""))" : person.details.name
            balances[fold(name)] = .integer(person.opening.rawValue)
        }
        out += overlay("balance", balances, want["balancesPaise"], got["balancesPaise"])
        var stock: [String: JSONValue] = [:]
        for ware in shop.products { stock[fold(ware.details.name)] = .integer(ware.stock.rawValue) }
        out += overlay("stock", stock, want["stockMilli"], got["stockMilli"])
        for key in ["openDrafts", "invoices", "payments", "reminders"] {
            let wanted = want[key] ?? []
            if wanted.string == "any" { continue }
            if !same(key, wanted, got[key]) { out.append("\(key) \(got[key]?.text ?? "absent")") }
        }
        let gate = want["pendingGate"] ?? false
        if gate.string != "any", gate != got["pendingGate"] {
            out.append("pendingGate \(got["pendingGate"]?.text ?? "")")
        }
        let language = want["language"] ?? .string(shop.shop.language)
        if language.string != "any", language != got["language"] { out.append("language") }
        let people = got["customers"]?.array ?? []
        for wanted in want["customers"]?.array ?? [] {
            let named = people.filter { fold($0["name"]?.string ?? "") == fold(wanted["name"]?.string ?? "") }
            if !named.contains(where: { same("", wanted, $0) }) { out.append("customer \(wanted.text)") }
        }
        for name in gone where people.contains(where: { fold($0["name"]?.string ?? "") == fold(name) }) {
            out.append("\(name) is still there")
        }
        for wanted in want["outgoing"]?.array ?? []
        where !(got["outgoing"]?.array ?? []).contains(where: { same("", wanted, $0) }) {
            out.append("outgoing lacks \(wanted.text)")
        }
        return out
    }

    private func overlay(_ label: String, _ start: [String: JSONValue], _ change: JSONValue?, _ got: JSONValue?)
        -> [String]
    {
        if change?.string == "any" { return [] }
        var wanted = start
        for member in change?.members ?? [] { wanted[fold(member.name)] = member.value }
        var have: [String: JSONValue] = [:]
        for member in got?.members ?? [] { have[fold(member.name)] = member.value }
        return wanted.filter { have[$0.key] != $0.value }.map {
            "\(label) of \($0.key) is \(have[$0.key]?.text ?? "absent")"
        }
            + have.keys.filter { wanted[$0] == nil }.map { "\(label) has unexpected \($0)" }
    }

    // MARK: Values

    private func fold(_ text: String) -> String {
        text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private func same(_ key: String, _ want: JSONValue, _ got: JSONValue?) -> Bool {
        if want.string == "any" { return true }
        if want.isNull { return got == nil || got!.isNull || got!.string == "" || got!.array?.isEmpty == true }
        guard let got, !got.isNull else { return false }
        switch want {
        case .bool, .integer, .decimal: return want.number != nil ? want.number == got.number : want == got
        case .array(let items):
            guard let have = got.array, have.count == items.count else { return false }
            return pairs(items, have)
        case .object(let members): return members.allSatisfy { same($0.name, $0.value, got[$0.name]) }
        case .string(let text):
            guard let have = got.string else { return false }
            if key == "phone" { return text.filter(\.isNumber).suffix(10) == have.filter(\.isNumber).suffix(10) }
            if key == "firesAt" { return WallTime(iso8601: text) == WallTime(iso8601: have) }
            return fold(text) == fold(have)
        case .null: return true
        }
    }

    private func pairs(_ wanted: [JSONValue], _ got: [JSONValue]) -> Bool {
        guard let head = wanted.first else { return true }
        for (index, candidate) in got.enumerated() where same("", head, candidate) {
            var rest = got
            rest.remove(at: index)
            if pairs(Array(wanted.dropFirst()), rest) { return true }
        }
        return false
    }

    private func says(_ speech: String, _ item: JSONValue) -> Bool {
        if let any = item.array { return any.contains { says(speech, $0) } }
        let wanted = item.string ?? ""
        let isNumber = wanted.count < 10 && wanted.wholeMatch(of: /\d+(\.\d+)?/) != nil
        guard isNumber else { return speech.lowercased().contains(wanted.lowercased()) }
        let tail = wanted.contains(".") ? "0*" : "(?:\\.0+)?"
        let pattern = "(?<![\\d.])0*" + NSRegularExpression.escapedPattern(for: wanted) + tail + "(?!\\d|\\.\\d)"
        let text = speech.replacingOccurrences(of: "(?<=\\d),(?=\\d)", with: "", options: .regularExpression)
        return text.range(of: pattern, options: .regularExpression) != nil
    }
}
