import Glibc
import Seals

/// `execorad service-token`: makes the technician's key where there is none yet, and signs a token with it.
enum ServiceTokenCommand {
    static func run(key path: String, holder: String, device: String, hours: String) -> Int32 {
        guard let hours = Int64(hours), (1...ServiceTokens.hoursMax).contains(hours) else {
            complain("execorad: --hours is 1 to \(ServiceTokens.hoursMax)")
            return 2
        }
        guard device == "*" || Hex.bytes(device)?.count == 16 else {
            complain("execorad: --device is the box's id in hex ('execoractl status --json'), or '*' for every box")
            return 2
        }
        do throws(SealError) {
            let key: SigningKey
            do throws(SealError) {
                key = try SigningKey(pem: PrivateFile.read(path, secret: true))
            } catch .missing {
                key = try .generate()
                try PrivateFile.write(key.pem(), to: path)
                complain(
                    "execorad: made \(path); add this line to the boxes' technician_keys file:\n"
                        + "\(Hex.text(key.verifyingKey.bytes)) \(holder)")
            }
            let until = Moment.wallMilliseconds() / 1000 + hours * 3_600
            print(try ServiceTokens.make(holder: holder, device: device, untilSeconds: until, key: key))
            return 0
        } catch {
            complain("execorad: \(path) cannot be used: \(error)")
            return 1
        }
    }
}
