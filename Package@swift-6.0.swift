// swift-tools-version:6.0
import PackageDescription

// Written by board/debian13/manifest out of Package.swift; change that one.
// For Swift 6.0 and 6.1 (Debian 13 has 6.0.3): the device alone, for the gateway's packages ask for newer tools. The
// setting for warnings as errors came with 6.2; board/debian13/check gives it on the command line.
let strict: [SwiftSetting] = [.swiftLanguageMode(.v6)]

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

let products: [Product] = [
    .executable(name: "execorad", targets: ["execorad"]),
    .executable(name: "execoractl", targets: ["execoractl"]),
]

let targets: [Target] = [
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

let package = Package(name: "execora", products: products, targets: targets)
