/// A checked graph flattened to a list of copies and dot products over one arena. Immutable; several runners may
/// share it, on any threads.
final class ModelProgram: Sendable {
    struct Copy {
        var from: Int
        var to: Int
        var count: Int
    }

    /// Weights of one layer: `rows` outputs of `width` inputs each, offsets into `weights`.
    struct Layer {
        var input: Int
        var output: Int
        var rows: Int
        var width: Int
        var weights: Int
        /// Offset into `biases`, `multipliers`: one a row.
        var terms: Int
        var zeroPointOut: Int32
        var floor: Int32
    }

    enum Step {
        case copy(first: Int, count: Int)
        case dense(Layer)
        case depthwise(Layer)
        case logistic(input: Int, output: Int, count: Int, table: Int)
    }

    /// So many sums a runner holds; the widest model seen has 64 channels.
    static let depthwiseChannelsMax = 2048

    let steps: [Step]
    let copies: [Copy]
    let weights: [Int8]
    /// Bias less zero point x sum of weights: the zero point needs no work at run time.
    let biases: [Int32]
    let multipliers: [Multiplier]
    let tables: [Int8]
    let arenaBytes: Int
    let initialArena: [Int8]
    let inputAt: Int
    let inputCount: Int
    let outputAt: Int
    let stride: Int
    let inputScale: Float
    let multiplyAccumulates: Int
    /// The largest byte the model can answer, 0 to 255.
    let reachableMaximum: Int
    let operatorNames: [Int32]

    init(_ graph: ModelGraph) throws(WakeModelError) {
        var builder = ProgramBuilder(graph)
        try builder.build()
        steps = builder.steps
        copies = builder.copies
        weights = builder.weights
        biases = builder.biases
        multipliers = builder.multipliers
        tables = builder.tables
        arenaBytes = builder.arena
        var initialArena = [Int8](repeating: 0, count: builder.arena)
        for (at, bytes) in builder.initial {
            for (index, byte) in bytes.enumerated() { initialArena[at + index] = Int8(bitPattern: byte) }
        }
        self.initialArena = initialArena
        let input = graph.tensors[graph.input]
        guard input.kind == .int8, input.shape.count == 3, input.shape[0] == 1, (1...8).contains(input.shape[1]),
            input.shape[2] == FeatureFrontend.channels, input.scales.count == 1, input.zeroPoint == -128
        else { throw .unsupported("input is not int8 [1, S, 40]") }
        inputAt = builder.place[graph.input]!
        inputCount = input.count
        stride = input.shape[1]
        inputScale = input.scales[0]
        let output = graph.tensors[graph.output]
        guard output.kind == .uint8, output.count == 1, let place = builder.place[graph.output] else {
            throw .unsupported("output is not one uint8")
        }
        outputAt = place
        multiplyAccumulates = builder.multiplyAccumulates
        reachableMaximum = builder.highest + 128
        operatorNames = graph.operators.map(\.code)
    }
}

/// Lays tensors out in the arena and turns operators into steps, verifying each on the way.
private struct ProgramBuilder {
    let graph: ModelGraph
    var steps: [ModelProgram.Step] = []
    var copies: [ModelProgram.Copy] = []
    var weights: [Int8] = []
    var biases: [Int32] = []
    var multipliers: [Multiplier] = []
    var tables: [Int8] = []
    var arena = 0
    var place: [Int: Int] = [:]
    var initial: [(Int, [UInt8])] = []
    var variables: [String: (at: Int, count: Int)] = [:]
    var handles: [Int: String] = [:]
    var multiplyAccumulates = 0
    /// The largest int8 the steps so far can give, where the last of them is one that tells.
    var highest = 127

    static let arenaBytesMax = 256 << 10

    init(_ graph: ModelGraph) { self.graph = graph }

    mutating func build() throws(WakeModelError) {
        place[graph.input] = try reserve(graph.tensors[graph.input].count)
        for one in graph.operators {
            switch one.code {
            case OperatorCode.callOnce: break
            case OperatorCode.varHandle:
                guard let out = one.outputs.first else { throw .unsupported("variable without a handle") }
                handles[out] = one.name
            case OperatorCode.readVariable: try readVariable(one)
            case OperatorCode.assignVariable: try assignVariable(one)
            case OperatorCode.reshape: try reshape(one)
            case OperatorCode.concatenation: try concatenate(one)
            case OperatorCode.stridedSlice: try slice(one)
            case OperatorCode.split: try split(one)
            case OperatorCode.convolution: try convolve(one)
            case OperatorCode.depthwise: try depthwise(one)
            case OperatorCode.fullyConnected: try fullyConnect(one)
            case OperatorCode.logistic: try logistic(one)
            case OperatorCode.quantize: try quantize(one)
            default: throw .unknownOperator(one.code)
            }
        }
    }

    private mutating func reserve(_ bytes: Int) throws(WakeModelError) -> Int {
        let at = arena
        arena += (bytes + 15) & ~15
        guard arena <= Self.arenaBytesMax else { throw .overLimit("arena over 256 kB") }
        return at
    }

    private func source(_ one: ModelGraph.Operator, _ index: Int) throws(WakeModelError) -> (
        at: Int, tensor: ModelGraph.Tensor
    ) {
        guard index < one.inputs.count, let at = place[one.inputs[index]] else {
            throw .unsupported("operator reads what nothing wrote")
        }
        return (at, graph.tensors[one.inputs[index]])
    }

    /// A new tensor for the operator's output. Written once only.
    private mutating func target(_ one: ModelGraph.Operator, _ index: Int = 0, kind: ModelGraph.Kind = .int8)
        throws(WakeModelError) -> (at: Int, tensor: ModelGraph.Tensor)
    {
        guard index < one.outputs.count, place[one.outputs[index]] == nil else {
            throw .unsupported("operator writes a tensor twice")
        }
        let tensor = graph.tensors[one.outputs[index]]
        guard tensor.kind == kind, tensor.constant.isEmpty else { throw .unsupported("type of an output") }
        let at = try reserve(tensor.count)
        place[one.outputs[index]] = at
        return (at, tensor)
    }

    private func requireSame(_ left: ModelGraph.Tensor, _ right: ModelGraph.Tensor) throws(WakeModelError) {
        guard left.kind == .int8, right.kind == .int8, left.scales == right.scales, left.zeroPoint == right.zeroPoint
        else { throw .unsupported("data moved between tensors of other quantisation") }
    }

    private mutating func add(_ new: [ModelProgram.Copy]) {
        // Runs that touch are one copy.
        var joined: [ModelProgram.Copy] = []
        for copy in new {
            if let last = joined.last, last.from + last.count == copy.from, last.to + last.count == copy.to {
                joined[joined.count - 1].count += copy.count
            } else {
                joined.append(copy)
            }
        }
        steps.append(.copy(first: copies.count, count: joined.count))
        copies += joined
    }

    // Variables are rings kept between steps; reading copies, for a ring may be written before its reader is used.

    private mutating func readVariable(_ one: ModelGraph.Operator) throws(WakeModelError) {
        guard one.inputs.count == 1, let name = handles[one.inputs[0]] else { throw .unsupported("variable") }
        let out = try target(one)
        let variable = try variable(name, out.tensor.count)
        add([.init(from: variable, to: out.at, count: out.tensor.count)])
    }

    private mutating func assignVariable(_ one: ModelGraph.Operator) throws(WakeModelError) {
        guard one.inputs.count == 2, let name = handles[one.inputs[0]] else { throw .unsupported("variable") }
        let new = try source(one, 1)
        add([.init(from: new.at, to: try variable(name, new.tensor.count), count: new.tensor.count)])
    }

    private mutating func variable(_ name: String, _ count: Int) throws(WakeModelError) -> Int {
        if let known = variables[name] {
            guard known.count == count else { throw .unsupported("variable of two sizes") }
            return known.at
        }
        guard let first = graph.initial[name], first.count == count else {
            throw .unsupported("variable without a first value")
        }
        let at = try reserve(count)
        variables[name] = (at, count)
        initial.append((at, first))
        return at
    }

    private mutating func reshape(_ one: ModelGraph.Operator) throws(WakeModelError) {
        let from = try source(one, 0)
        let to = try target(one)
        try requireSame(from.tensor, to.tensor)
        guard from.tensor.count == to.tensor.count else { throw .unsupported("reshape to another size") }
        add([.init(from: from.at, to: to.at, count: to.tensor.count)])
    }

    private func axis(_ value: Int32, _ rank: Int) throws(WakeModelError) -> Int {
        let axis = value < 0 ? Int(value) + rank : Int(value)
        guard (0..<rank).contains(axis) else { throw .unsupported("axis") }
        return axis
    }

    private mutating func concatenate(_ one: ModelGraph.Operator) throws(WakeModelError) {
        let to = try target(one)
        let axis = try axis(one.options[0] ?? 0, to.tensor.shape.count)
        guard (one.options[1] ?? 0) == 0, !one.inputs.isEmpty else { throw .unsupported("concatenation") }
        let outer = to.tensor.shape[..<axis].reduce(1, *)
        let row = to.tensor.count / outer
        var offset = 0
        var new: [ModelProgram.Copy] = []
        for index in one.inputs.indices {
            let from = try source(one, index)
            try requireSame(from.tensor, to.tensor)
            let shape = from.tensor.shape
            guard shape.count == to.tensor.shape.count,
                shape.indices.allSatisfy({ $0 == axis || shape[$0] == to.tensor.shape[$0] })
            else { throw .unsupported("concatenation of other shapes") }
            let part = from.tensor.count / outer
            guard offset + part <= row else { throw .unsupported("concatenation of other shapes") }
            for block in 0..<outer {
                new.append(.init(from: from.at + block * part, to: to.at + block * row + offset, count: part))
            }
            offset += part
        }
        guard offset == row else { throw .unsupported("concatenation of other shapes") }
        add(new)
    }

    private mutating func slice(_ one: ModelGraph.Operator) throws(WakeModelError) {
        guard one.inputs.count == 4 else { throw .unsupported("slice") }
        let from = try source(one, 0)
        let to = try target(one)
        try requireSame(from.tensor, to.tensor)
        let shape = from.tensor.shape
        let begin = graph.tensors[one.inputs[1]].int32s
        let end = graph.tensors[one.inputs[2]].int32s
        let strides = graph.tensors[one.inputs[3]].int32s
        let beginMask = one.options[0] ?? 0
        let endMask = one.options[1] ?? 0
        guard begin.count == shape.count, end.count == shape.count, strides.count == shape.count,
            strides.allSatisfy({ $0 == 1 }), (2...4).allSatisfy({ (one.options[$0] ?? 0) == 0 })
        else { throw .unsupported("slice with strides or other masks") }
        var starts: [Int] = []
        var sizes: [Int] = []
        for index in shape.indices {
            func bound(_ value: Int32) -> Int {
                let told = Int(value)
                return min(max(told < 0 ? told + shape[index] : told, 0), shape[index])
            }
            let first = beginMask & (1 << Int32(index)) != 0 ? 0 : bound(begin[index])
            let last = endMask & (1 << Int32(index)) != 0 ? shape[index] : bound(end[index])
            guard last > first else { throw .unsupported("empty slice") }
            starts.append(first)
            sizes.append(last - first)
        }
        guard sizes == to.tensor.shape else { throw .unsupported("slice of another shape than told") }
        add(blocks(of: shape, starts: starts, sizes: sizes, from: from.at, to: to.at))
    }

    /// Copies of a box out of a larger one, row by row of its last axis.
    private func blocks(of shape: [Int], starts: [Int], sizes: [Int], from: Int, to: Int) -> [ModelProgram.Copy] {
        guard let row = sizes.last else { return [] }
        var new: [ModelProgram.Copy] = []
        var index = [Int](repeating: 0, count: sizes.count)
        var written = 0
        while true {
            var offset = 0
            for axis in shape.indices { offset = offset * shape[axis] + starts[axis] + index[axis] }
            new.append(.init(from: from + offset, to: to + written, count: row))
            written += row
            var axis = sizes.count - 2
            while axis >= 0 {
                index[axis] += 1
                if index[axis] < sizes[axis] { break }
                index[axis] = 0
                axis -= 1
            }
            if axis < 0 { return new }
        }
    }

    private mutating func split(_ one: ModelGraph.Operator) throws(WakeModelError) {
        guard one.inputs.count == 3 else { throw .unsupported("split") }
        let from = try source(one, 0)
        let sizes = graph.tensors[one.inputs[1]].int32s
        let axes = graph.tensors[one.inputs[2]].int32s
        guard axes.count == 1, sizes.count == one.outputs.count else { throw .unsupported("split") }
        let axis = try axis(axes[0], from.tensor.shape.count)
        var offset = 0
        for index in one.outputs.indices {
            let to = try target(one, index)
            try requireSame(from.tensor, to.tensor)
            var starts = [Int](repeating: 0, count: from.tensor.shape.count)
            var wanted = from.tensor.shape
            starts[axis] = offset
            wanted[axis] = Int(sizes[index])
            guard wanted[axis] > 0, wanted == to.tensor.shape, offset + wanted[axis] <= from.tensor.shape[axis] else {
                throw .unsupported("split of other shapes")
            }
            add(blocks(of: from.tensor.shape, starts: starts, sizes: wanted, from: from.at, to: to.at))
            offset += wanted[axis]
        }
    }

    // Layers. Each gives one row of channels a step, so every one is dot products over contiguous bytes.

    private mutating func terms(
        _ one: ModelGraph.Operator, rows: Int, width: Int, perRow: Bool, input: ModelGraph.Tensor,
        output: ModelGraph.Tensor, sums: [Int32]
    ) throws(WakeModelError) -> Int {
        guard one.inputs.count >= 2, input.scales.count == 1, output.scales.count == 1 else {
            throw .unsupported("layer without scales")
        }
        let weight = graph.tensors[one.inputs[1]]
        guard weight.scales.count == (perRow ? rows : 1) || weight.scales.count == 1 else {
            throw .unsupported("scales of a layer")
        }
        var bias = [Int32](repeating: 0, count: rows)
        if one.inputs.count == 3 {
            let tensor = graph.tensors[one.inputs[2]]
            guard tensor.kind == .int32, tensor.constant.count == 4 * rows else {
                throw .unsupported("bias of a layer")
            }
            bias = tensor.int32s
        }
        let first = biases.count
        for row in 0..<rows {
            let scale = weight.scales.count == 1 ? weight.scales[0] : weight.scales[row]
            let real =
                perRow
                ? Double(input.scales[0]) * Double(scale) / Double(output.scales[0])
                : Double(input.scales[0] * scale) / Double(output.scales[0])
            guard real.isFinite else { throw .unsupported("scale of a layer") }
            let multiplier = Multiplier(real)
            guard multiplier.exponent <= 0 else { throw .unsupported("multiplier above one") }
            biases.append(bias[row] &- input.zeroPoint &* sums[row])
            multipliers.append(multiplier)
        }
        multiplyAccumulates += rows * width
        return first
    }

    private func activation(_ told: Int32?, _ output: ModelGraph.Tensor) throws(WakeModelError) -> Int32 {
        switch told ?? 0 {
        case 0: return -128
        case 1: return max(-128, output.zeroPoint)
        default: throw .unsupported("activation")
        }
    }

    private func weightBytes(_ one: ModelGraph.Operator, _ shape: [Int]) throws(WakeModelError) -> [Int8] {
        guard one.inputs.count >= 2 else { throw .unsupported("layer without weights") }
        let tensor = graph.tensors[one.inputs[1]]
        guard tensor.kind == .int8, tensor.shape == shape, tensor.constant.count == tensor.count, tensor.zeroPoint == 0
        else { throw .unsupported("weights of a layer") }
        return tensor.constant.map { Int8(bitPattern: $0) }
    }

    private mutating func convolve(_ one: ModelGraph.Operator) throws(WakeModelError) {
        let from = try source(one, 0)
        let to = try target(one)
        let shape = from.tensor.shape
        guard shape.count == 4, shape[0] == 1, shape[2] == 1, to.tensor.shape.count == 4,
            to.tensor.shape[..<3] == [1, 1, 1], (one.options[4] ?? 1) == 1, (one.options[5] ?? 1) == 1
        else { throw .unsupported("convolution of more than one output row") }
        let rows = to.tensor.shape[3]
        let width = shape[1] * shape[3]
        let values = try weightBytes(one, [rows, shape[1], 1, shape[3]])
        try dense(one, from, to, rows, width, values, perRow: true, activation: one.options[3])
    }

    private mutating func fullyConnect(_ one: ModelGraph.Operator) throws(WakeModelError) {
        let from = try source(one, 0)
        let to = try target(one)
        let rows = to.tensor.count
        let width = from.tensor.count
        let values = try weightBytes(one, [rows, width])
        try dense(one, from, to, rows, width, values, perRow: false, activation: one.options[0])
    }

    private mutating func dense(
        _ one: ModelGraph.Operator, _ from: (at: Int, tensor: ModelGraph.Tensor),
        _ to: (at: Int, tensor: ModelGraph.Tensor), _ rows: Int, _ width: Int, _ values: [Int8], perRow: Bool,
        activation told: Int32?
    ) throws(WakeModelError) {
        let sums = (0..<rows).map { row in values[row * width..<(row + 1) * width].reduce(Int32(0)) { $0 + Int32($1) } }
        let terms = try terms(
            one, rows: rows, width: width, perRow: perRow, input: from.tensor, output: to.tensor, sums: sums)
        steps.append(
            .dense(
                .init(
                    input: from.at, output: to.at, rows: rows, width: width, weights: weights.count, terms: terms,
                    zeroPointOut: to.tensor.zeroPoint, floor: try activation(told, to.tensor))))
        if !perRow {
            highest = maximum(values, rows, width, terms, from.tensor.zeroPoint, to.tensor.zeroPoint)
        }
        weights += values
    }

    /// What the last layer gives when every input pulls it up: the most the model can ever say.
    private func maximum(_ values: [Int8], _ rows: Int, _ width: Int, _ terms: Int, _ zeroIn: Int32, _ zeroOut: Int32)
        -> Int
    {
        (0..<rows).map { row in
            let best = values[row * width..<(row + 1) * width].reduce(biases[terms + row]) {
                $0 &+ max(Int32($1) &* 127, Int32($1) &* -128)
            }
            return Int(min(max(multipliers[terms + row].apply(best) &+ zeroOut, -128), 127))
        }.max() ?? 127
    }

    private mutating func depthwise(_ one: ModelGraph.Operator) throws(WakeModelError) {
        let from = try source(one, 0)
        let to = try target(one)
        let shape = from.tensor.shape
        guard shape.count == 4, shape[0] == 1, shape[2] == 1, to.tensor.shape == [1, 1, 1, shape[3]],
            (one.options[3] ?? 1) == 1, (one.options[5] ?? 1) == 1, (one.options[6] ?? 1) == 1
        else { throw .unsupported("depthwise convolution of more than one output row") }
        let (height, channels) = (shape[1], shape[3])
        guard channels <= ModelProgram.depthwiseChannelsMax else { throw .overLimit("channels of a layer") }
        let values = try weightBytes(one, [1, height, 1, channels])
        let sums = (0..<channels).map { channel in
            (0..<height).reduce(Int32(0)) { $0 + Int32(values[$1 * channels + channel]) }
        }
        let terms = try terms(
            one, rows: channels, width: height, perRow: true, input: from.tensor, output: to.tensor, sums: sums)
        steps.append(
            .depthwise(
                .init(
                    input: from.at, output: to.at, rows: channels, width: height, weights: weights.count, terms: terms,
                    zeroPointOut: to.tensor.zeroPoint, floor: try activation(one.options[4], to.tensor))))
        weights += values
    }

    private mutating func logistic(_ one: ModelGraph.Operator) throws(WakeModelError) {
        let from = try source(one, 0)
        let to = try target(one)
        guard from.tensor.kind == .int8, from.tensor.scales.count == 1, from.tensor.count == to.tensor.count,
            to.tensor.scales == [Float(1) / 256], to.tensor.zeroPoint == -128
        else { throw .unsupported("logistic") }
        let table = FixedPoint.logisticTable(scale: Double(from.tensor.scales[0]), zeroPoint: from.tensor.zeroPoint)
        steps.append(.logistic(input: from.at, output: to.at, count: to.tensor.count, table: tables.count))
        highest = Int(table[highest + 128])
        tables += table
    }

    /// The last step, int8 to uint8 of the same scale: the same bits but the highest.
    private mutating func quantize(_ one: ModelGraph.Operator) throws(WakeModelError) {
        let from = try source(one, 0)
        let to = try target(one, kind: .uint8)
        guard from.tensor.kind == .int8, from.tensor.scales == to.tensor.scales, from.tensor.zeroPoint == -128,
            to.tensor.zeroPoint == 0, from.tensor.count == to.tensor.count, one.outputs[0] == graph.output
        else { throw .unsupported("quantize other than int8 to uint8") }
        add([.init(from: from.at, to: to.at, count: to.tensor.count)])
    }
}
