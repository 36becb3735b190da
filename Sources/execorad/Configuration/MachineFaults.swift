import Glibc
import Seals

extension ApplianceConfiguration {
    /// What this machine lacks for the configuration, each with what to do. `check` tells all of it together.
    func faultsOfTheMachine() -> [String] {
        var faults: [String] = []
        // Where systemd made the sockets the folder is systemd's and not the daemon's.
        let hasSockets = access(runtimeFolder + "/view.sock", F_OK) == 0
        for folder in [stateFolder] + (hasSockets ? [] : [runtimeFolder]) {
            if !FileBytes.makeFolder(folder) || access(folder, W_OK) != 0 {
                faults.append("\(folder) is not writable; make it, or choose another folder")
            }
        }
        let shelf = ModelShelf(folder: modelsFolder)
        for name in [wakeModel, stopModel, "vad"] where !name.isEmpty && name != Self.noModel {
            do throws(ModelShelf.Fault) { _ = try shelf.model(name) } catch { faults.append("\(error)") }
        }
        if !Self.isOnPath(voiceProgram) { faults.append("\(voiceProgram) is not installed; nothing can be spoken") }
        if !ledPath.isEmpty, access(ledPath + "/brightness", W_OK) != 0 {
            faults.append("\(ledPath)/brightness is not writable; set board.led to a LED or leave it empty")
        }
        faults += identityFaults()
        return faults
    }

    private func identityFaults() -> [String] {
        guard !gatewayURL.isEmpty else { return [] }
        let folder = IdentityFolder(path: identityFolder)
        do throws(SealError) {
            _ = try folder.identity()
            let certificate = try folder.certificate()
            let now = Moment.wallMilliseconds() / 1000
            if try certificate.notAfterSeconds < now { return ["the device's certificate has expired; enrol again"] }
            if try certificate.notBeforeSeconds > now {
                return ["the device's certificate is not valid yet: the clock is behind"]
            }
            return []
        } catch .missing {
            return ["cloud.url is set and the device is not enrolled; run 'execorad enrol'"]
        } catch {
            return ["the identity in \(identityFolder) cannot be used (\(error)); enrol again"]
        }
    }

    private static func isOnPath(_ program: String) -> Bool {
        if program.contains("/") { return access(program, X_OK) == 0 }
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }
}
