import Conversation
import Flash
import Glibc
import Ledger
import OpusCoding
import Seals
import Synchronization
import Testing

@testable import CloudLink

/// A spool in a folder that goes when the test ends.
struct SpoolPlace: ~Copyable {
    let path: String
    static let key = [UInt8](repeating: 7, count: 32)

    init() { path = makeFolder("/tmp/execora-spool") }
    deinit { _ = system("rm -rf \(path)") }

    func open(bytesMax: Int = 64 << 20) throws -> AudioSpool {
        try AudioSpool.open(path: path, key: Self.key, configuration: .init(bytesMax: bytesMax))
    }

    var names: [String] {
        get throws { try SpoolFolder(path: path).files().map(\.name).sorted() }
    }

    func bytes(_ name: String) throws -> [UInt8] { try SpoolFolder(path: path).read(name, bytesMax: 1 << 30) }

    func put(_ bytes: [UInt8], _ name: String) throws {
        let file = try #require(fopen("\(path)/\(name)", "wb"))
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        fclose(file)
    }
}

extension Spoken {
    static let now = WallTime(milliseconds: 1_764_000_000_000)

    /// Real Opus: a tone of so many packets, in a turn stamped `secondsAgo`.
    static func turn(_ number: UInt64 = 1, secondsAgo: Int64 = 0, packets: Int = 60) throws -> SpooledTurn {
        var encoder = try OpusSpeechEncoder.open()
        let sound = try (0..<packets).map { packet in
            try encoder.encode((0..<320).map { Int16(9_000 * sin(Double(packet * 320 + $0) * 0.05)) })
        }
        var hello = Spoken.hello(number)
        let stamp = UInt64(now.rawValue - secondsAgo * 1000)
        hello.turn = ULID(high: stamp << 16, low: number)
        return SpooledTurn(hello: hello, packets: sound)
    }
}

@Test func `a stored turn comes back whole, also after a restart`() throws {
    let place = SpoolPlace()
    let turns = [try Spoken.turn(1, secondsAgo: 30), try Spoken.turn(2, secondsAgo: 20)]
    do {
        let spool = try place.open()
        for turn in turns { #expect(try spool.store(turn, at: Spoken.now) == 0) }
    }
    let spool = try place.open()
    #expect(spool.figures.count == 2)
    #expect(spool.oldestAge(at: Spoken.now) == .seconds(30))
    for turn in turns {
        let oldest = try #require(spool.oldest())
        #expect(try spool.load(oldest) == turn)
        try spool.remove(oldest)
    }
    #expect(spool.oldest() == nil && spool.figures.bytes == 0)
    #expect(try place.names.isEmpty)
}

@Test func `a late turn is marked so`() throws {
    let turn = try Spoken.turn()
    let (hello, records) = turn.late
    #expect(hello.isLate && hello.turn == turn.hello.turn)
    #expect(records.map(\.packet) == turn.packets)
    #expect(records.map(\.sampleOffset) == (0..<60).map { UInt32($0 * 320) })
}

/// The hello holds customers' names; a stolen card must tell nothing.
@Test func `nothing on the disk can be read`() throws {
    let place = SpoolPlace()
    let spool = try place.open()
    try spool.store(try Spoken.turn(), at: Spoken.now)
    for word in ["Rahul", "Sharma", "doodh", "vocabulary", "OggS", "OpusHead", "hi-en"] {
        #expect(system("grep -rqa '\(word)' \(place.path)") >> 8 == 1, "\(word) can be read")
    }
    // The grep finds what is there.
    try place.put(Array("Rahul".utf8), "proof")
    #expect(system("grep -rqa 'Rahul' \(place.path)") == 0)
    var facts = stat()
    #expect(stat("\(place.path)/\(try #require(place.names.first { $0.hasSuffix(".turn") }))", &facts) == 0)
    #expect(facts.st_mode & 0o777 == 0o600)
    #expect(stat(place.path, &facts) == 0 && facts.st_mode & 0o777 == 0o700)
}

/// Once sealed, the sound inside is a file that opusinfo is content with.
@Test func `the sound inside is an Ogg Opus file`() throws {
    let place = SpoolPlace()
    let turn = try Spoken.turn()
    let plain = try turn.plain()
    let length = Int(plain[0]) | Int(plain[1]) << 8
    try place.put(Array(plain[(4 + length)...]), "turn.opus")
    #expect(system("opusinfo \(place.path)/turn.opus >\(place.path)/info 2>&1") == 0)
    #expect(system("grep -q WARNING \(place.path)/info") >> 8 == 1)
}

@Test func `a full spool lets the oldest go`() throws {
    let place = SpoolPlace()
    let one = try Spoken.turn(1, secondsAgo: 50)
    let size: Int
    do {
        let spool = try place.open()
        try spool.store(one, at: Spoken.now)
        size = spool.figures.bytes
    }
    let spool = try place.open(bytesMax: size * 3 + size / 2)
    for number in 2...3 {
        #expect(try spool.store(Spoken.turn(UInt64(number), secondsAgo: 50 - Int64(number)), at: Spoken.now) == 0)
    }
    #expect(try spool.store(Spoken.turn(4, secondsAgo: 10), at: Spoken.now) == 1)
    #expect(spool.figures.count == 3)
    #expect(throws: SpoolError.missing) { try spool.load(one.hello.turn) }
    // Storing a turn again replaces it and drops nothing.
    #expect(try spool.store(Spoken.turn(4, secondsAgo: 10), at: Spoken.now) == 0)
    #expect(spool.figures.count == 3 && spool.figures.bytes <= size * 3 + size / 2)
    #expect(try place.names.count == 3)
    let small = try place.open(bytesMax: size / 2)
    #expect(throws: SpoolError.tooLarge) { try small.store(one, at: Spoken.now) }
}

@Test func `turns end after three days, unless their clock was not set`() throws {
    let place = SpoolPlace()
    let spool = try place.open()
    let day: Int64 = 86_400
    let unset = try Spoken.turn(9, secondsAgo: Spoken.now.rawValue / 1000 - 60)
    try spool.store(unset, at: Spoken.now)
    try spool.store(
        Spoken.turn(1, secondsAgo: 3 * day + 1), at: WallTime(milliseconds: Spoken.now.rawValue - day * 1000))
    try spool.store(Spoken.turn(2, secondsAgo: 3 * day - 60), at: Spoken.now.adding(seconds: -day))
    #expect(try spool.dropAged(at: Spoken.now) == 1)
    #expect(spool.figures.count == 2)
    #expect(try spool.load(unset.hello.turn) == unset)
    // A clock set back makes no negative age.
    #expect(spool.oldestAge(at: WallTime(milliseconds: 0)) == .zero)
}

/// Bytes at any place, a cut at any place: set aside, counted, the next turn is served.
@Test func `damaged files are set aside and never served`() throws {
    let place = SpoolPlace()
    let turn = try Spoken.turn(packets: 3)
    let good = try Spoken.turn(2, packets: 3)
    let spool = try place.open()
    try spool.store(turn, at: Spoken.now)
    let name = "\(turn.hello.turn).turn"
    let whole = try place.bytes(name)
    var random = Seeded(state: 5)
    for round in 0..<60 {
        try spool.store(turn, at: Spoken.now)
        var bytes = whole
        if round % 2 == 0 {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        } else {
            bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
        }
        try place.put(bytes, name)
        #expect(throws: SpoolError.damaged) { try spool.load(turn.hello.turn) }
        #expect(spool.figures.count == 0 && spool.figures.damaged == round + 1)
    }
    #expect(try place.names.allSatisfy { $0.hasSuffix(".bad") })
    #expect(try place.names.count <= AudioSpool.badFilesMax)
    try spool.store(good, at: Spoken.now)
    #expect(try spool.load(good.hello.turn) == good)
}

/// A sealed file under another turn's name is another turn's sound.
@Test func `a file under another name is damaged`() throws {
    let place = SpoolPlace()
    let (one, two) = (try Spoken.turn(1), try Spoken.turn(2))
    try place.open().store(one, at: Spoken.now)
    #expect(rename("\(place.path)/\(one.hello.turn).turn", "\(place.path)/\(two.hello.turn).turn") == 0)
    let spool = try place.open()
    #expect(throws: SpoolError.damaged) { try spool.load(two.hello.turn) }
}

@Test func `what a power cut left half-written is cleared`() throws {
    let place = SpoolPlace()
    try place.open().store(Spoken.turn(), at: Spoken.now)
    try place.put([1, 2, 3], "01ARZ3NDEKTSV4RRFFQ69G5FAV.turn.half")
    try place.put([1, 2, 3], "note.txt")
    let spool = try place.open()
    #expect(spool.figures.count == 1)
    #expect(try !place.names.contains { $0.hasSuffix(".half") })
    #expect(try place.names.contains("note.txt"))
}

/// A disk with room for so many bytes more.
final class SmallDisk: FlashCalls {
    private let kernel = KernelCalls()
    private let room: Mutex<Int>

    init(bytesLeft: Int) { room = Mutex(bytesLeft) }

    func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        let count = room.withLock { left in
            defer { left -= min(left, bytes.count) }
            return min(left, bytes.count)
        }
        guard count > 0 else {
            errno = ENOSPC
            return -1
        }
        return kernel.write(file, UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }

    func create(_ path: String) -> Int32 { kernel.create(path) }
    func sync(_ file: Int32) -> Int32 { kernel.sync(file) }
    func close(_ file: Int32) { kernel.close(file) }
    func syncContent(_ path: String) -> Int32 { kernel.syncContent(path) }
    func syncFolder(_ path: String) -> Int32 { kernel.syncFolder(path) }
    func rename(_ from: String, _ to: String) -> Int32 { kernel.rename(from, to) }
    func unlink(_ path: String) -> Int32 { kernel.unlink(path) }
}

/// write(2) gives out at every possible call; nothing half-written stays and what was there is served.
@Test(arguments: [0, 1, 1_000])
func `a full disk is told and leaves nothing`(bytesLeft: Int) throws {
    let place = SpoolPlace()
    let first = try Spoken.turn(1)
    try place.open().store(first, at: Spoken.now)
    var folder = SpoolFolder(path: place.path)
    folder.calls = SmallDisk(bytesLeft: bytesLeft)
    let spool = try AudioSpool.open(folder, key: SpoolPlace.key)
    #expect(throws: SpoolError.diskFull) { try spool.store(Spoken.turn(2), at: Spoken.now) }
    #expect(try place.names == ["\(first.hello.turn).turn"])
    #expect(spool.figures.count == 1)
    #expect(try spool.load(first.hello.turn) == first)
}

@Test func `a folder that is a file is told`() throws {
    let place = SpoolPlace()
    try place.put([], "spool")
    #expect(throws: SpoolError.self) { try AudioSpool.open(path: place.path + "/spool", key: SpoolPlace.key) }
}

extension OverTheLine {
    /// Spoken while the line was down, sent when it is up: the gateway gets the same sound, marked late.
    @Test func `a turn from the spool is sent like any other`() throws {
        let place = SpoolPlace()
        let spool = try place.open()
        try spool.store(Spoken.turn(), at: Spoken.now)
        let gateway = try TestGateway()
        let line = try TestLink(port: gateway.port)
        let (hello, records) = try spool.load(try #require(spool.oldest())).late
        let answers = Answers()
        let upload = line.open(hello, answers)
        for record in records { #expect(upload.send(record)) }
        upload.end()
        let delivery = try answers.first().get()
        try spool.remove(delivery.reply.turn)
        #expect(spool.figures.count == 0)
        let body =
            TurnFraming.head(hello) + records.flatMap { TurnFraming.bytes(of: $0) }
            + TurnFraming.bytes(of: .init(seq: 60, sampleOffset: 60 * 320, flags: .end, packet: []))
        #expect(try gateway.event("body")["sha256"]?.string == Hex.text(SHA256.digest(body)))
    }
}
