// execorad: the device daemon. Reads its arguments here and wires the rooms in Appliance.swift; rooms never exit the
// process, this file does. Exit codes: 0 ended as asked, 1 a job failed, 2 wrong call or configuration.

import Glibc

@main
enum Execorad {
    static let version = "0.1"

    static let help = """
        usage: execorad COMMAND [OPTION ...]

          run      --config FILE                     listen at the counter until told to stop (SIGTERM)
          check    --config FILE [--board NAME]      report every mistake of the configuration, and what the machine
                                                     lacks for the board; exit 2 if any
          keys                                       every configuration key with its meaning and default
          enrol    --gateway URL --ca FILE --code CODE --state DIR
                                                     make this device's keys and enrol it with a one-time code
          seed     --config FILE --world FILE        open the book with a shop's customers and products
          restore  --config FILE                     make a lost or old book whole from the gateway's copy of its journal
          rotate-key --config FILE                   change the ledger key; the gateway takes it at the old one's word
          new-epoch --config FILE                    begin the epoch that the owner has opened at the gateway, with the
                                                     invoice series it gives
          checkpoint --config FILE                   the gateway's newest checkpoint with the proof of this device's
                                                     head, as JSON, for `execoractl ledger prove`
          record-prompts --config FILE               record the answers that are always the same in the counter's voice, so
                                                     that they are heard without the voice program
          rehearse --config FILE --input FILE.wav    the same pipeline from a file, as fast as it can be read;
                                                     turn traces as JSON lines
          rehearse-echo --config FILE --prompts FILE [--gain-tenths-db -60] [--over FILE.wav]
                                                     says each line of a file into a simulated room and counts what
                                                     the ear makes of its own voice; --over: a person speaks over it
          soak     --config FILE --input FILE.wav --turns N
                                                     the ear alone, N turns from a file, and its memory meanwhile
          selftest --config FILE                     look at every part without a daemon; exit 1 if one fails
          service-token --key FILE --holder NAME --device HEX --hours N
                                                     sign a technician's token (on the technician's own machine)
          --version

        FILE defaults to /etc/execora/execora.toml. Exit codes: 0 ok, 1 failed, 2 wrong call or configuration.
        """

    static func main() {
        // A peer that goes away is an error code, not a death.
        signal(SIGPIPE, SIG_IGN)
        var arguments = Array(CommandLine.arguments.dropFirst())
        guard !arguments.isEmpty else { end(2, help) }
        let command = arguments.removeFirst()
        let options: Options
        do { options = try Options(arguments) } catch { end(2, "execorad: \(error.reason); see execorad --help") }
        if options.wantsHelp || ["help", "--help", "-h"].contains(command) {
            print(help)
            exit(0)
        }
        switch command {
        case "--version":
            print("execorad \(version)")
            exit(0)
        case "keys":
            printKeys()
            exit(0)
        case "check":
            options.allow("config", "board", "boards")
            let configuration = configuration(options)
            var faults = configuration.faultsOfTheMachine()
            if let name = options["board"] {
                do throws(ConfigurationMistakes) {
                    let board = try BoardProfile.read(name, folder: options["boards"] ?? BoardProfile.standardFolder)
                    faults += board.faults(of: configuration)
                } catch { faults += error.lines }
            }
            for fault in faults { print("execorad: \(fault)") }
            if faults.isEmpty { print("execorad: the configuration is right") }
            exit(faults.isEmpty ? 0 : 2)
        case "run":
            options.allow("config")
            exit(Appliance.run(configuration(options)))
        case "selftest":
            options.allow("config")
            exit(SelfTest.standAlone(configuration(options)))
        case "service-token":
            options.allow("key", "holder", "device", "hours")
            exit(
                ServiceTokenCommand.run(
                    key: options.required("key"), holder: options.required("holder"),
                    device: options.required("device"), hours: options.required("hours")))
        case "enrol":
            options.allow("gateway", "ca", "code", "state", "force")
            exit(
                EnrolCommand.run(
                    gateway: options.required("gateway"), ca: options.required("ca"), code: options.required("code"),
                    state: options.required("state"), replaces: options["force"] == "yes"))
        case "seed":
            options.allow("config", "world")
            exit(SeedCommand.run(configuration(options), world: options.required("world")))
        case "restore":
            options.allow("config")
            exit(RestoreCommand.run(configuration(options)))
        case "rotate-key":
            options.allow("config")
            exit(RotateCommand.run(configuration(options)))
        case "new-epoch":
            options.allow("config")
            exit(NewEpochCommand.run(configuration(options)))
        case "checkpoint":
            options.allow("config")
            exit(RestoreCommand.checkpoint(configuration(options)))
        case "record-prompts":
            options.allow("config")
            exit(RecordPromptsCommand.run(configuration(options)))
        case "rehearse":
            options.allow("config", "input")
            exit(Rehearsal.run(configuration(options), input: options.required("input")))
        case "rehearse-echo":
            options.allow("config", "prompts", "gain-tenths-db", "over")
            exit(
                EchoRehearsal.run(
                    configuration(options), prompts: options.required("prompts"),
                    gainTenths: options.number("gain-tenths-db", -600...0, else: -60), over: options["over"]))
        case "soak":
            options.allow("config", "input", "turns")
            exit(
                EarSoak.run(
                    configuration(options), input: options.required("input"),
                    turns: options.number("turns", 1...EarSoak.turnsMax, else: 100_000)))
        default: end(2, "execorad: no command '\(command)'; see execorad --help")
        }
    }

    private static func configuration(_ options: Options) -> ApplianceConfiguration {
        do { return try .read(file: options["config"] ?? "/etc/execora/execora.toml") } catch {
            let mistakes = error.lines.map { "execorad: \($0)" }.joined(separator: "\n")
            end(2, mistakes + "\nexecorad: nothing was started; 'execorad keys' lists what can be set")
        }
    }

    private static func printKeys() {
        let standard = ApplianceConfiguration()
        for key in ConfigurationKey.all {
            let told =
                switch key.kind {
                case .text(let path): "\"\(standard[keyPath: path])\""
                case .flag(let path): "\(standard[keyPath: path])"
                case .number(let path, let range):
                    "\(standard[keyPath: path])  (\(range.lowerBound) to \(range.upperBound))"
                case .choice(let words, _): words.joined(separator: " | ")
                }
            print("\(key.name) = \(told)\n    \(key.meaning)")
        }
    }

    /// Says it on standard error and ends the process.
    static func end(_ code: Int32, _ text: String) -> Never {
        complain(text)
        exit(code)
    }
}

/// A line for the person at the terminal, on standard error.
func complain(_ text: String) {
    let bytes = Array((text + "\n").utf8)
    bytes.withUnsafeBytes { _ = write(2, $0.baseAddress, $0.count) }
}

/// `--name value` pairs.
struct Options {
    struct Mistake: Error { var reason: String }

    private var values: [String: String] = [:]
    private(set) var wantsHelp = false
    static let flags: Set<String> = ["force"]

    init(_ arguments: [String]) throws(Mistake) {
        var at = 0
        while at < arguments.count {
            let word = arguments[at]
            at += 1
            if word == "--help" || word == "-h" {
                wantsHelp = true
                continue
            }
            guard word.hasPrefix("--"), word.count > 2 else { throw Mistake(reason: "unexpected '\(word)'") }
            let name = String(word.dropFirst(2))
            guard values[name] == nil else { throw Mistake(reason: "--\(name) is given twice") }
            if Self.flags.contains(name) {
                values[name] = "yes"
                continue
            }
            guard at < arguments.count else { throw Mistake(reason: "--\(name) needs a value") }
            values[name] = arguments[at]
            at += 1
        }
    }

    subscript(name: String) -> String? { values[name] }

    func required(_ name: String) -> String {
        guard let value = values[name] else { Execorad.end(2, "execorad: --\(name) is missing; see execorad --help") }
        return value
    }

    func number(_ name: String, _ range: ClosedRange<Int>, else normal: Int) -> Int {
        guard let text = values[name] else { return normal }
        guard let value = Int(text), range.contains(value) else {
            Execorad.end(2, "execorad: --\(name) is a whole number, \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func allow(_ names: String...) {
        for name in values.keys.sorted() where !names.contains(name) {
            Execorad.end(2, "execorad: unknown option --\(name); see execorad --help")
        }
    }
}
