import ArgumentParser
import Glibc
import JSONText
import Logging
import ServiceLifecycle

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve devices until SIGTERM.",
        discussion: """
            Prints one line {"event":"listening",...} with its ports once all three listeners are up; logs are JSON \
            lines on standard error. SIGTERM and SIGINT let requests in flight end (8 s at most), then end with 0.
            """)

    @Option(help: "The configuration, a JSON file; see `check --help`.")
    var config: String

    func run() async throws {
        try await ending {
            let configuration = try GatewayConfiguration.read(path: config)
            let problems = configuration.problems()
            guard problems.isEmpty else { throw GatewayError.configuration(problems) }

            // A peer that closed its pipe or socket must not end the gateway.
            signal(SIGPIPE, SIG_IGN)
            GatewayMemory.prepare()
            // Keys and what shops say are in memory: a crash must not write them to a disk.
            var none = rlimit(rlim_cur: 0, rlim_max: 0)
            setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
            let folder = StateFolder(path: configuration.state)
            let logger = GatewayLog.logger()
            let left = try folder.serverCertificateLeft(nowMilliseconds: SystemClock.milliseconds())
            if left < StateFolder.serverCertificateWarning {
                logger.warning(
                    "server certificate ends soon; run init --new-server-certificate",
                    metadata: ["days": "\(left.components.seconds / 86_400)"])
            }
            let meter = ProviderMeter(
                prices: .init(
                    microsPerAudioMinute: configuration.speech.prices,
                    microsPerThousandTokens: configuration.opinion?.microsPerThousandTokens ?? 0))
            if configuration.isReadmitting { logger.warning("readmitting devices that the store does not know") }
            let server = try GatewayServer(
                configuration.listeners,
                pace: SyncPace(burst: configuration.syncBurst, perMinute: configuration.syncPerMinute),
                parts: .init(
                    folder: folder, fleet: try await configuration.fleet(),
                    speech: try SpeechProviders.make(from: configuration.speech, meter: meter, logger: logger),
                    opinion: try configuration.opinion.map { try ChatOpinion($0, meter: meter, logger: logger) },
                    quotas: configuration.quotas, verifier: try configuration.wake.map { try WakeVerifier($0) },
                    voices: try Voices.make(from: configuration.voice, metrics: meter.metrics, logger: logger),
                    archive: try configuration.archive.map {
                        try Archive.make($0, metrics: meter.metrics, logger: logger)
                    },
                    logger: logger, metrics: meter.metrics, isReadmitting: configuration.isReadmitting)
            ) { ports in
                let line: JSONValue = [
                    "event": "listening", "device_port": .integer(Int64(ports.device)),
                    "enrol_port": .integer(Int64(ports.enrol)), "operations_port": .integer(Int64(ports.operations)),
                ]
                print(line.text)
                fflush(nil)
            }
            var group = ServiceGroupConfiguration(
                services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            group.logger.logLevel = .warning
            try await ServiceGroup(configuration: group).run()
        }
    }
}

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a configuration file and what it names, all mistakes at once.",
        discussion: """
            Keys: state; device_address, device_port, enrol_address, enrol_port, operations_address, operations_port; \
            stt {order, embedded, http, deepgram, sarvam, elevenlabs}; llm {url, model, key_file, form, timeout_ms, \
            ask_below}; wake {models, cutoff}; quotas {device_audio_seconds, shop_audio_seconds, shop_llm_tokens}; \
            archive {folder | url, bucket, region, key_file; retention_days}; \
            tts {order, sarvam, elevenlabs, openai, command}; store {postgres, lanes}; readmit; \
            sync_burst, sync_per_minute.
            """)

    @Option(help: "The configuration, a JSON file.")
    var config: String

    func run() async throws {
        try await ending {
            let problems = try GatewayConfiguration.read(path: config).problems()
            guard problems.isEmpty else { throw GatewayError.configuration(problems) }
            print("\(config) is good")
        }
    }
}
