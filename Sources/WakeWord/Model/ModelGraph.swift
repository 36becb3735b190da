/// A streaming int8 graph as the file tells it, checked: shapes, types, quantisation, offsets.
struct ModelGraph {
    static let fileBytesMax = 1 << 20
    static let tensorBytesMax = 64 << 10
    static let operatorsMax = 256
    static let tensorsMax = 512

    enum Kind: Int8 {
        case int32 = 2
        case uint8 = 3
        case int64 = 4
        case int8 = 9
        case resource = 13
    }

    struct Tensor {
        var shape: [Int]
        var kind: Kind
        var constant: [UInt8]
        var scales: [Float]
        var zeroPoint: Int32
        var quantizedDimension: Int

        var count: Int { shape.reduce(1, *) }

        var int32s: [Int32] {
            stride(from: 0, to: constant.count / 4 * 4, by: 4).map { at in
                (0..<4).reduce(Int32(0)) { $0 | Int32(constant[at + $1]) << Int32(8 * $1) }
            }
        }
    }

    struct Operator {
        var code: Int32
        var inputs: [Int]
        var outputs: [Int]
        /// Fields of the operator's options by number, absent ones not there.
        var options: [Int: Int32]
        var name: String
    }

    var tensors: [Tensor]
    var operators: [Operator]
    var input: Int
    var output: Int
    /// First content of each variable, by its name, out of the initialising subgraph.
    var initial: [String: [UInt8]]

    init(file: [UInt8]) throws(WakeModelError) {
        guard file.count <= Self.fileBytesMax else { throw .overLimit("file over 1 MiB") }
        let buffer = FlatBuffer(bytes: file)
        let model = try buffer.root()
        guard try buffer.scalar(model, 0, UInt32(0)) == 3 else { throw .unsupported("schema version other than 3") }
        let codes = try Self.codes(buffer, model)
        let data = try buffer.tables(model, 4, countMax: 2 * Self.tensorsMax)
        let subgraphs = try buffer.tables(model, 2, countMax: 4)
        guard let main = subgraphs.first else { throw .unsupported("no graph") }

        tensors = try Self.tensors(buffer, main, data)
        operators = try Self.operators(buffer, main, codes, tensors.count)
        let inputs: [Int32] = try buffer.integers(main, 1, countMax: 8)
        let outputs: [Int32] = try buffer.integers(main, 2, countMax: 8)
        guard inputs.count == 1, outputs.count == 1, tensors.indices.contains(Int(inputs[0])),
            tensors.indices.contains(Int(outputs[0]))
        else { throw .unsupported("not one input and one output") }
        (input, output) = (Int(inputs[0]), Int(outputs[0]))

        initial = [:]
        for graph in subgraphs.dropFirst() {
            let own = try Self.tensors(buffer, graph, data)
            var names: [Int: String] = [:]
            for one in try Self.operators(buffer, graph, codes, own.count) {
                switch one.code {
                case OperatorCode.varHandle: if let out = one.outputs.first { names[out] = one.name }
                case OperatorCode.assignVariable:
                    guard one.inputs.count == 2, let name = names[one.inputs[0]] else {
                        throw .unsupported("initial value of no variable")
                    }
                    initial[name] = own[one.inputs[1]].constant
                default: throw .unsupported("initialising graph with other operators")
                }
            }
        }
    }

    private static func codes(_ buffer: FlatBuffer, _ model: FlatBuffer.Table) throws(WakeModelError) -> [Int32] {
        var codes: [Int32] = []
        for table in try buffer.tables(model, 1, countMax: 64) {
            let old: Int8 = try buffer.scalar(table, 0, 0)
            let new: Int32 = try buffer.scalar(table, 3, 0)
            codes.append(max(Int32(old), new))
        }
        return codes
    }

    private static func tensors(_ buffer: FlatBuffer, _ graph: FlatBuffer.Table, _ data: [FlatBuffer.Table])
        throws(WakeModelError) -> [Tensor]
    {
        var tensors: [Tensor] = []
        for table in try buffer.tables(graph, 0, countMax: tensorsMax) {
            let told: [Int32] = try buffer.integers(table, 0, countMax: 4)
            var bytes = 1
            for size in told {
                guard size > 0, Int(size) <= tensorBytesMax else { throw .unsupported("shape of a tensor") }
                bytes *= Int(size)
                guard bytes <= tensorBytesMax else { throw .overLimit("tensor over 64 kB") }
            }
            let type: Int8 = try buffer.scalar(table, 1, 0)
            guard let kind = Kind(rawValue: type) else { throw .unsupported("tensor type \(type)") }
            let index: UInt32 = try buffer.scalar(table, 2, 0)
            guard Int(index) < data.count else { throw .truncated }
            let constant = Array(try buffer.data(data[Int(index)], 0, countMax: tensorBytesMax))
            let width = kind == .int32 ? 4 : kind == .int64 ? 8 : 1
            guard constant.isEmpty || constant.count == bytes * width else {
                throw .unsupported("constant of another size than its shape")
            }
            var scales: [Float] = []
            var zeroPoint: Int64 = 0
            var dimension: Int32 = 0
            if let quantization = try buffer.child(table, 4) {
                scales = try buffer.floats(quantization, 2, countMax: 1024)
                let points: [Int64] = try buffer.integers(quantization, 3, countMax: 1024)
                guard scales.allSatisfy({ $0.isFinite && $0 > 0 }) else { throw .unsupported("scale of a tensor") }
                guard points.allSatisfy({ (-128...255).contains($0) }) else { throw .unsupported("zero point") }
                guard points.count <= 1 || points.allSatisfy({ $0 == 0 }) else {
                    throw .unsupported("zero points by channel")
                }
                zeroPoint = points.first ?? 0
                dimension = try buffer.scalar(quantization, 6, 0)
            }
            tensors.append(
                Tensor(
                    shape: told.map { Int($0) }, kind: kind, constant: constant, scales: scales,
                    zeroPoint: Int32(zeroPoint), quantizedDimension: Int(dimension)))
        }
        return tensors
    }

    private static func operators(
        _ buffer: FlatBuffer, _ graph: FlatBuffer.Table, _ codes: [Int32], _ tensorCount: Int
    ) throws(WakeModelError) -> [Operator] {
        var operators: [Operator] = []
        for table in try buffer.tables(graph, 3, countMax: operatorsMax) {
            let index: UInt32 = try buffer.scalar(table, 0, 0)
            guard Int(index) < codes.count else { throw .truncated }
            let code = codes[Int(index)]
            guard OperatorCode.known.contains(code) else { throw .unknownOperator(code) }
            let inputs: [Int32] = try buffer.integers(table, 1, countMax: 16)
            let outputs: [Int32] = try buffer.integers(table, 2, countMax: 16)
            guard (inputs + outputs).allSatisfy({ $0 >= 0 && Int($0) < tensorCount }) else {
                throw .unsupported("operator with a tensor that is not there")
            }
            var one = Operator(
                code: code, inputs: inputs.map { Int($0) }, outputs: outputs.map { Int($0) }, options: [:], name: "")
            if let options = try buffer.child(table, 4) {
                if code == OperatorCode.varHandle {
                    one.name = try buffer.text(options, 1)
                } else {
                    for (field, isByte) in OperatorCode.fields(code) {
                        let absent: Int32 = .min
                        let value =
                            isByte
                            ? Int32(try buffer.scalar(options, field, Int8.min))
                            : try buffer.scalar(options, field, absent)
                        if value != (isByte ? Int32(Int8.min) : absent) { one.options[field] = value }
                    }
                }
            }
            operators.append(one)
        }
        return operators
    }
}

/// The operators of streaming wake models, by their numbers in the TensorFlow Lite schema.
enum OperatorCode {
    static let concatenation: Int32 = 2
    static let convolution: Int32 = 3
    static let depthwise: Int32 = 4
    static let fullyConnected: Int32 = 9
    static let logistic: Int32 = 14
    static let reshape: Int32 = 22
    static let stridedSlice: Int32 = 45
    static let split: Int32 = 102
    static let quantize: Int32 = 114
    static let callOnce: Int32 = 129
    static let varHandle: Int32 = 142
    static let readVariable: Int32 = 143
    static let assignVariable: Int32 = 144

    static let known: Set<Int32> = [
        concatenation, convolution, depthwise, fullyConnected, logistic, reshape, stridedSlice, split, quantize,
        callOnce, varHandle, readVariable, assignVariable,
    ]

    /// Fields of the options this runtime reads, and whether each is one byte (an enumeration).
    static func fields(_ code: Int32) -> [(Int, Bool)] {
        switch code {
        case convolution: [(0, true), (1, false), (2, false), (3, true), (4, false), (5, false)]
        case depthwise: [(0, true), (1, false), (2, false), (3, false), (4, true), (5, false), (6, false)]
        case fullyConnected: [(0, true), (1, true)]
        case concatenation: [(0, false), (1, true)]
        case stridedSlice: [(0, false), (1, false), (2, false), (3, false), (4, false)]
        default: []
        }
    }
}
