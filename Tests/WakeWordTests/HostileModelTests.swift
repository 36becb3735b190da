import Testing

@testable import WakeWord

/// Models with bytes changed: refused by name or run within their memory, never a crash. `make fuzz` goes on from here.
@Suite struct HostileModelTests {
    @Test(arguments: ["vad", "okay_nabu"])
    func `a damaged model is refused or runs`(name: String) throws {
        let manifest = try Given.bytes("\(Given.models)/\(name).json")
        let file = try Given.bytes("\(Given.models)/" + WakeModel.fileName(inManifest: manifest))
        var dice = Dice(state: 20_261_125)
        var refused = 0
        var ran = 0
        for _ in 0..<400 {
            let damaged = damage(file, &dice)
            do throws(WakeModelError) {
                let model = try WakeModel(name: name, file: damaged, manifest: manifest)
                run(model)
                ran += 1
            } catch {
                refused += 1
            }
        }
        #expect(refused > 20 && ran > 20, "both ways were gone: \(refused) refused, \(ran) ran")
    }

    /// A fully connected layer of scales whose product no Float holds.
    @Test func `scales beyond all numbers are refused`() throws {
        let manifest = try Given.bytes("\(Given.models)/vad.json")
        let file = try Given.bytes("\(Given.models)/vad.tflite")
        let graph = try ModelGraph(file: file)
        let layer = try #require(graph.operators.first { $0.code == OperatorCode.fullyConnected })
        var damaged = file
        for tensor in layer.inputs[..<2] {
            let scale = graph.tensors[tensor].scales[0]
            replace(bytes(scale), with: bytes(Float(3e38)), in: &damaged)
        }
        #expect(throws: WakeModelError.self) {
            _ = try WakeModel(name: "vad", file: damaged, manifest: manifest)
        }
    }

    private func run(_ model: WakeModel) {
        let runner = ModelRunner(model)
        let features = (0..<FeatureFrontend.channels).map { UInt16($0 * 17) }
        for _ in 0..<2 * model.stride { features.withUnsafeBufferPointer { _ = runner.take($0.baseAddress!) } }
    }

    private func bytes(_ value: Float) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
    }

    private func replace(_ old: [UInt8], with new: [UInt8], in file: inout [UInt8]) {
        for at in stride(from: 0, to: file.count - 3, by: 4) where file[at..<at + 4].elementsEqual(old) {
            file.replaceSubrange(at..<at + 4, with: new)
        }
    }

    /// One to four changes: a bit, a byte, an aligned number, or the file cut short.
    private func damage(_ file: [UInt8], _ dice: inout Dice) -> [UInt8] {
        var file = file
        for _ in 0...dice.below(4) {
            switch dice.below(8) {
            case 0: file.removeLast(dice.below(file.count / 2))
            case 1, 2: file[dice.below(file.count)] ^= 1 << UInt8(dice.below(8))
            case 3, 4: file[dice.below(file.count)] = UInt8(dice.below(256))
            default:
                let at = dice.below(file.count / 4 - 1) * 4
                let numbers: [UInt32] = [0, 1, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x8000_0000, 0x7F7F_FFFF, 0x7F80_0000, 65_536]
                let number = numbers[dice.below(numbers.count)]
                for index in 0..<4 { file[at + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(index))) }
            }
        }
        return file
    }
}

/// SplitMix64: the same numbers on every run.
struct Dice {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ mixed >> 31) % UInt64(bound))
    }
}
