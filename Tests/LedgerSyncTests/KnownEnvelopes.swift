import Seals

/// One batch and one receipt made by another implementation: forty lines of Python with hashlib, its own CBOR writer
/// from RFC 8949 and `openssl pkeyutl -sign -rawin`, with the key of RFC 8032's TEST 1.
enum KnownEnvelopes {
    static let seed = bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    static let shop = [UInt8](0..<16)
    static let bootID = [UInt8](repeating: 0xB0, count: 16)
    static let storeID = [UInt8](repeating: 0x5E, count: 16)
    /// {1: 7, 2: "udhaar"} and {1: 8, 2: -250, 3: 300 zero bytes}.
    static let hashes = [
        bytes("02660829566394c39c1e72d263ef6514ce0f16b2feed0dedb5cb50f4ccaf3941"),
        bytes("79ab04c477035da091471ca80a5400074a32bb4479843f78bec9041e234dae25"),
    ]
    static let batch = bytes(
        "444c423100f3b401010250000102030405060708090a0b0c0d0e0f035013eb1400f1ba299bd530178da10c214c04"
            + "0105010602075820000000000000000000000000000000000000000000000000000000000000000008582079ab04"
            + "c477035da091471ca80a5400074a32bb4479843f78bec9041e234dae25091901490a58206a740de6b6c662ecf746"
            + "c71f9b7a6afe8e1d65d5b228b952b5feb4158790e40b0b000c010d4821fe31dfa154a2610e50b0b0b0b0b0b0b0b0"
            + "b0b0b0b0b0b0b0b00f1a0001e240101b000001a0c4506c0011031258200000000000000000000000000000000000"
            + "0000000000000000000000000000001300140106433e12afd69f81152a2e5b196ac53fcfb488a80ea9d9f4c9748d"
            + "441684866e5dba63ab6bd4c91bfe62fe96389c9e4cf92405be241439f45e0ab1b307823e060000000ba201070266"
            + "75646861617200000136a301080238f90359012c"
            + String(repeating: "00", count: 300))
    static let receipt = bytes(
        "444c5231008faa01010250000102030405060708090a0b0c0d0e0f035013eb1400f1ba299bd530178da10c214c04"
            + "01050206582079ab04c477035da091471ca80a5400074a32bb4479843f78bec9041e234dae25071b000001a0c450"
            + "6c7b08505e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e09010a5820000000000000000000000000000000000000000000"
            + "00000000000000000000005811d7691acb6292a97c8574c6dc2744b3dd50df8d13dc508d233280e403e5aec82311"
            + "801f97f7a5dbc7c0e8ef17036012bb7a5ba1970991f1e8d6821dfac40a")

    private static func bytes(_ hex: String) -> [UInt8] {
        guard let bytes = Hex.bytes(hex) else { preconditionFailure("test data is not hexadecimal") }
        return bytes
    }
}
