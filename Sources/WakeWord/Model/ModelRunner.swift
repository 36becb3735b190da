/// One model's streaming state: rings and arena. Owned by one thread; nothing allocates after `init`.
public final class ModelRunner {
    private let program: ModelProgram
    private let arena: UnsafeMutablePointer<Int8>
    private let weights: UnsafeMutablePointer<Int8>
    private let biases: UnsafeMutablePointer<Int32>
    private let multipliers: UnsafeMutablePointer<Multiplier>
    private let tables: UnsafeMutablePointer<Int8>
    private let copies: UnsafeMutablePointer<ModelProgram.Copy>
    private let steps: UnsafeMutablePointer<ModelProgram.Step>
    private let sums: UnsafeMutablePointer<Int32>
    private var rows = 0

    public init(_ model: WakeModel) {
        program = model.program
        func copy<Item>(_ items: [Item]) -> UnsafeMutablePointer<Item> {
            let memory = UnsafeMutablePointer<Item>.allocate(capacity: max(items.count, 1))
            memory.initialize(from: items, count: items.count)
            return memory
        }
        arena = copy(program.initialArena)
        weights = copy(program.weights)
        biases = copy(program.biases)
        multipliers = copy(program.multipliers)
        tables = copy(program.tables)
        copies = copy(program.copies)
        steps = copy(program.steps)
        sums = .allocate(capacity: ModelProgram.depthwiseChannelsMax)
    }

    deinit {
        arena.deallocate()
        weights.deallocate()
        biases.deallocate()
        multipliers.deallocate()
        tables.deallocate()
        copies.deallocate()
        steps.deallocate()
        sums.deallocate()
    }

    /// Back to the state at load.
    public func reset() {
        rows = 0
        program.initialArena.withUnsafeBufferPointer { arena.update(from: $0.baseAddress!, count: $0.count) }
    }

    /// Takes one frame of 40 features; every `stride` frames the model answers.
    /// - Returns: the model's byte (probability x 256), or nil between answers.
    public func take(_ features: UnsafePointer<UInt16>) -> UInt8? {
        let row = arena + program.inputAt + rows * FeatureFrontend.channels
        for channel in 0..<FeatureFrontend.channels {
            // ESPHome's rounding: 666 is the range of the features, 256 that of the input.
            let value = (Int32(features[channel]) &* 256 &+ 333) / 666 &- 128
            row[channel] = Int8(truncatingIfNeeded: min(max(value, -128), 127))
        }
        rows += 1
        guard rows == program.stride else { return nil }
        rows = 0
        for index in 0..<program.steps.count { perform(steps + index) }
        return UInt8(bitPattern: arena[program.outputAt]) ^ 0x80
    }

    @inline(__always)
    private func perform(_ step: UnsafeMutablePointer<ModelProgram.Step>) {
        switch step.pointee {
        case .copy(let first, let count):
            for index in first..<first + count {
                let copy = copies[index]
                (arena + copy.to).update(from: arena + copy.from, count: copy.count)
            }
        case .dense(let layer): dense(layer)
        case .depthwise(let layer): depthwise(layer)
        case .logistic(let input, let output, let count, let table):
            for index in 0..<count { arena[output + index] = tables[table + Int(arena[input + index]) + 128] }
        }
    }

    private func dense(_ layer: ModelProgram.Layer) {
        let input = UnsafePointer(arena + layer.input)
        let output = arena + layer.output
        for row in 0..<layer.rows {
            let weight = UnsafePointer(weights + layer.weights + row * layer.width)
            var sum = biases[layer.terms + row]
            for index in 0..<layer.width { sum = sum &+ Int32(input[index]) &* Int32(weight[index]) }
            output[row] = requantized(sum, layer, row)
        }
    }

    private func depthwise(_ layer: ModelProgram.Layer) {
        let input = UnsafePointer(arena + layer.input)
        let output = arena + layer.output
        let weight = UnsafePointer(weights + layer.weights)
        let channels = layer.rows
        sums.update(from: biases + layer.terms, count: channels)
        for tap in 0..<layer.width {
            let x = input + tap * channels
            let w = weight + tap * channels
            for channel in 0..<channels { sums[channel] = sums[channel] &+ Int32(x[channel]) &* Int32(w[channel]) }
        }
        for channel in 0..<channels { output[channel] = requantized(sums[channel], layer, channel) }
    }

    @inline(__always)
    private func requantized(_ sum: Int32, _ layer: ModelProgram.Layer, _ row: Int) -> Int8 {
        let value = multipliers[layer.terms + row].apply(sum) &+ layer.zeroPointOut
        return Int8(truncatingIfNeeded: min(max(value, layer.floor), 127))
    }
}
