import AudioIO
import JSONText

/// `execoractl audio devices`: what ALSA offers, under the names the configuration takes.
var audioCommands: CommandGroup {
    CommandGroup(word: "audio", summary: "devices: sound devices by the names the configuration takes", run: audio)
}

private func audio(_ arguments: [String]) -> Int32 {
    guard arguments.first == "devices" else {
        print("usage: execoractl audio devices [--json]")
        return arguments.first == "--help" ? 0 : 2
    }
    let devices = AudioDevice.all()
    for device in devices {
        if arguments.contains("--json") {
            let line: JSONValue = [
                "name": .string(device.name), "summary": .string(device.summary),
                "capture": .bool(device.canCapture), "playback": .bool(device.canPlay),
            ]
            print(line.text)
        } else {
            let can = device.canCapture ? (device.canPlay ? "both" : "capture") : "playback"
            print("\(device.name)  (\(can))\(device.summary.isEmpty ? "" : "  \(device.summary)")")
        }
    }
    if devices.isEmpty { print("no sound device: is one plugged in, and is this user in the group 'audio'?") }
    return devices.isEmpty ? 1 : 0
}
