import CloudLink
import Glibc
import Seals

/// Enrols this device with a one-time code; prints what a technician needs to write down, nothing secret.
enum EnrolCommand {
    static func run(gateway: String, ca: String, code: String, state: String, replaces: Bool) -> Int32 {
        guard FileBytes.makeFolder(state) else {
            complain("execorad: \(state) cannot be made: \(String(cString: strerror(errno)))")
            return 1
        }
        do {
            let identity = try Enrolment.enrol(
                gateway: gateway, trustPath: ca, code: code, into: IdentityFolder(path: state + "/identity"),
                isReplacing: replaces)
            print("enrolled: device \(identity.deviceHex), series \(identity.series)")
            return 0
        } catch {
            complain("execorad: not enrolled: \(error.hint)")
            return 1
        }
    }
}
