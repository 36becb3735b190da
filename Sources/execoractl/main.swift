// execoractl: the technician's hand. One file a group of commands; this one only finds the group.
// Exit codes: 0 ok, 1 a check failed, 2 bad call or unreachable, 3 not allowed.

#if canImport(Glibc)
    import Glibc
#endif

/// A group of commands: its word, one line of help, and what runs it (arguments behind the word -> exit code).
struct CommandGroup: Sendable {
    var word: String
    var summary: String
    var run: @Sendable ([String]) -> Int32
}

let groups: [CommandGroup] =
    socketCommands + technicianCommands + [
        ledgerCommands,
        faultCommands,
        simCommand,
        aliasCommands,
        replayCommands,
        langCommands,
        wakeCommands,
        audioCommands,
    ]

let arguments = Array(CommandLine.arguments.dropFirst())
guard let word = arguments.first, word != "--help", word != "-h", word != "help" else {
    if arguments.dropFirst().first == "--all" {
        for (usage, summary) in everyUsage { print("\(usage)\t\(summary)") }
        exit(0)
    }
    print("usage: execoractl COMMAND [ARGUMENT ...]\n")
    for group in groups { print("  \(group.word): \(group.summary)") }
    exit(arguments.isEmpty ? 2 : 0)
}
guard let group = groups.first(where: { $0.word == word }) else {
    print("execoractl: no command '\(word)'; see execoractl --help")
    exit(2)
}
exit(group.run(Array(arguments.dropFirst())))
