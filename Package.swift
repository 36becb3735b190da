// swift-tools-version:6.2
import PackageDescription

// Targets stand in the order of the sound: mic -> words -> book -> cloud.
// A toolchain older than 6.2 reads Package@swift-6.0.swift, which lists the device alone.
// EXECORA_DEVICE_ONLY=1 leaves the gateway and its packages out here too.
let deviceOnly = Context.environment["EXECORA_DEVICE_ONLY"] == "1"

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
]

// Rooms that wait for people, disks and lines are compiled for size: a megabyte of execorad. Sound stays fast.
let small: [SwiftSetting] = strict + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

func room(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [], isSmall: Bool = false
) -> Target {
    .target(
        name: name, dependencies: dependencies, resources: resources, swiftSettings: isSmall ? small : strict)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], fixtures: Bool = false, scripts: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: (fixtures ? ["Fixtures"] : []) + scripts,
        swiftSettings: strict)
}

var products: [Product] = [
    .executable(name: "execorad", targets: ["execorad"]),
    .executable(name: "execoractl", targets: ["execoractl"]),
]

var dependencies: [Package.Dependency] = []

var targets: [Target] = [
    .systemLibrary(name: "CALSA", pkgConfig: "alsa", providers: [.apt(["libasound2-dev"])]),
    .systemLibrary(name: "CSpeexDSP", pkgConfig: "speexdsp", providers: [.apt(["libspeexdsp-dev"])]),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "COpus", pkgConfig: "opus", providers: [.apt(["libopus-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

    room("JSONText"),
    room("Flash", isSmall: true),
    room("Seals", ["COpenSSL", "JSONText", "Flash"], isSmall: true),
    room("AudioIO", ["CALSA", "CSpeexDSP", "CLinux"]),
    room("WakeWord", ["JSONText"]),
    room("OpusCoding", ["COpus"]),
    room("Ledger", ["CSQLite", "Seals", "JSONText", "Flash"], isSmall: true),
    room("Conversation", ["Ledger", "JSONText"], resources: [.embedInCode("Packs")], isSmall: true),
    room("CloudLink", ["CCurl", "Conversation", "Ledger", "Seals", "JSONText", "OpusCoding", "Flash"], isSmall: true),
    room("LedgerSync", ["CZstd", "Ledger", "Seals", "JSONText"], isSmall: true),
    room(
        "LedgerFaults", ["Ledger", "LedgerSync", "CloudLink", "Conversation", "Seals", "JSONText", "Flash", "CSQLite"]),
    room("Diagnostics", ["JSONText"], isSmall: true),

    .executableTarget(
        name: "execorad",
        dependencies: [
            "AudioIO", "WakeWord", "OpusCoding", "CloudLink", "Conversation", "Ledger", "LedgerSync", "Diagnostics",
            "Seals", "JSONText", "Flash", "CLinux",
        ],
        swiftSettings: small),
    .executableTarget(
        name: "execoractl",
        dependencies: [
            "AudioIO", "WakeWord", "OpusCoding", "Conversation", "Ledger", "LedgerSync", "LedgerFaults", "Diagnostics",
            "Seals", "JSONText", "Flash",
        ],
        swiftSettings: strict),

    tests("JSONTextTests", ["JSONText"]),
    tests("SealsTests", ["Seals"]),
    tests("AudioIOTests", ["AudioIO", "WakeWord", "CLinux"]),
    tests("WakeWordTests", ["WakeWord", "JSONText"], fixtures: true),
    tests("OpusCodingTests", ["OpusCoding"], fixtures: true),
    tests("LedgerTests", ["Ledger", "Seals", "JSONText"], fixtures: true),
    tests("ConversationTests", ["Conversation", "Ledger", "JSONText"], fixtures: true),
    tests(
        "CloudLinkTests", ["CloudLink", "Conversation", "Ledger", "OpusCoding", "Seals", "JSONText", "Flash"],
        fixtures: true),
    tests("LedgerSyncTests", ["LedgerSync", "Ledger", "Seals", "JSONText"]),
    tests("DiagnosticsTests", ["Diagnostics", "JSONText"]),
    tests(
        "ApplianceTests",
        [
            "execorad", "CLinux", "AudioIO", "WakeWord", "OpusCoding", "Conversation", "Ledger", "JSONText",
            "Diagnostics",
            "CloudLink", "Seals",
        ]),
    tests("HouseTests", ["JSONText", "AudioIO", "Ledger"], scripts: ["activate.py", "failing_disk.c"]),
]

if !deviceOnly {
    products.append(.executable(name: "execora-gateway", targets: ["execora-gateway"]))
    dependencies += [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ]
    targets += [
        .systemLibrary(name: "CPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .executableTarget(
            name: "execora-gateway",
            dependencies: [
                "Conversation", "Ledger", "LedgerSync", "OpusCoding", "WakeWord", "Seals", "JSONText", "Flash",
                "CSQLite", "CPQ", "CLinux",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [
                .embedInCode("Speech/Whisper/whisper_service.py"), .embedInCode("Speech/Whisper/closed_grammar.py"),
                .embedInCode("Speech/Whisper/command_grammar.txt"),
            ],
            swiftSettings: strict),
        tests(
            "GatewayTests",
            [
                "execora-gateway", "CloudLink", "Conversation", "LedgerSync", "Ledger", "OpusCoding", "Seals",
                "JSONText",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
    ]
}

let package = Package(name: "execora", products: products, dependencies: dependencies, targets: targets)
