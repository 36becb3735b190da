import AudioIO
import Glibc
import JSONText
import Synchronization

/// The same house fed from a file as fast as it can be read: every part real but the sound card. Turn traces and
/// receipts as JSON lines on standard output.
///
/// Sound waits while the house thinks or speaks, as a person would: a spoken "yes" behind a question is heard after
/// the question, however fast the file is read.
enum Rehearsal {
    /// The silence that follows the file, so that its last words find their end.
    static let silenceMilliseconds = 8_000
    static let waitMilliseconds: Int64 = 120_000

    static func run(_ configuration: ApplianceConfiguration, input: String) -> Int32 {
        let log = EventLog(level: configuration.logLevel, format: configuration.logFormat)
        let house: House
        let sound: WAVReader
        do {
            sound = try WAVReader(path: input)
            guard sound.format.hertz == 16_000, sound.format.channels == 1 else {
                complain(
                    "execorad: \(input) must be 16 kHz mono; make it so with: sox IN.wav -r 16000 -c 1 -b 16 OUT.wav")
                return 2
            }
            house = try House(
                configuration, log: log, output: .file(path: configuration.stateFolder + "/rehearsal.wav"))
        } catch let error as House.Fault {
            complain("execorad: \(error.line)")
            return error.exitCode
        } catch {
            complain("execorad: \(error)")
            return 2
        }
        house.register.watch { trace in say(trace.json(withText: configuration.showsTurnText)) }
        house.watchReceipts { receipt in say(receipt) }
        house.start()
        defer { house.stop() }
        settleLine(house, configuration)

        var frame = [Int16](repeating: 0, count: Ear.frameSamples)
        var isWhole = false
        var silence = silenceMilliseconds * 16
        while silence > 0 {
            var count = 0
            if !isWhole {
                do { count = try frame.withUnsafeMutableBufferPointer { buffer in try sound.read(into: buffer) } } catch
                {
                    complain("execorad: \(error)")
                    return 2
                }
                isWhole = count == 0
            }
            if isWhole {
                for index in frame.indices { frame[index] = 0 }
                count = frame.count
                silence -= count
            }
            frame.withUnsafeBufferPointer { house.ring.append(UnsafeBufferPointer(rebasing: $0[..<count])) }
            house.hear()
            if !waitUntilQuiet(house) {
                complain("execorad: the house did not answer within \(waitMilliseconds / 1000) s")
                return 1
            }
        }
        return waitForReceipts(house) ? 0 : 1
    }

    /// Gives the line a moment to come up, so that the first turn is not spooled only because the file is fast.
    private static func settleLine(_ house: House, _ configuration: ApplianceConfiguration) {
        guard house.link != nil else { return }
        let end = Moment.monotonicMilliseconds() + 2 * Int64(configuration.connectTimeoutMilliseconds)
        while !house.line.isUp, Moment.monotonicMilliseconds() < end { usleep(10_000) }
    }

    private static func waitUntilQuiet(_ house: House) -> Bool {
        guard !house.ear.isInTurn else { return true }
        let end = Moment.monotonicMilliseconds() + waitMilliseconds
        while house.register.openCount > 0 || house.mouth.isSpeaking {
            guard Moment.monotonicMilliseconds() < end else { return false }
            usleep(2_000)
            house.tick()
        }
        return true
    }

    /// Until everything written is receipted, where there is a line.
    private static func waitForReceipts(_ house: House) -> Bool {
        guard house.line.isUp else { return true }
        let end = Moment.monotonicMilliseconds() + waitMilliseconds
        while Moment.monotonicMilliseconds() < end {
            house.tick()
            let pending = Mutex<Int64?>(nil)
            let done = DoneFlag()
            let taken = house.clerk.withBook { [house] _ in
                let waiting = house.syncReport()["pending"]?.integer
                pending.withLock { $0 = waiting }
                done.set()
            }
            // A desk that is full took no job, and there is nothing to wait for: the next look asks again.
            while taken, !done.isSet { usleep(1_000) }
            if pending.withLock({ $0 }) == 0 { return true }
            usleep(20_000)
        }
        complain("execorad: entries were written and not receipted by the gateway")
        return false
    }

    private static func say(_ value: JSONValue) {
        let bytes = value.bytes + [0x0A]
        bytes.withUnsafeBytes { _ = write(1, $0.baseAddress, $0.count) }
    }
}
