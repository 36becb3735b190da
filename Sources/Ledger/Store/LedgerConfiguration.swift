import Seals

/// What the book needs to know of the device, and the time and chance it may use.
public struct LedgerConfiguration {
    /// 16 bytes; a book remembers whose it is and refuses another device.
    public var deviceID: [UInt8]
    /// 16 bytes.
    public var shopID: [UInt8]
    /// The counter's invoice series, three of A-Z and 0-9, unique within the shop's GSTIN.
    public var series: String
    /// 16 bytes; another for each boot of the machine.
    public var bootID: [UInt8]
    /// CLOCK_BOOTTIME in milliseconds.
    public var monotonicMilliseconds: () -> Int64
    /// How far the wall clock can be trusted: 0 unknown, 1 floor, 2 RTC, 3 NTP, 4 attested by the gateway. From 3 on
    /// the book lets a bill open a new financial year.
    public var wallQuality: () -> Int64
    /// For customers' keys and the salts of commitments.
    public var randomBytes: (Int) -> [UInt8]
    /// Wraps the customers' keys (32 bytes). Nil stores them bare, so that whoever takes the flash can read them.
    public var wrappingKey: [UInt8]?
    /// Earlier wrapping keys of this device: what they sealed is sealed anew when the book is opened.
    public var formerWrappingKeys: [[UInt8]]

    public init(
        deviceID: [UInt8], shopID: [UInt8], series: String = "A01", bootID: [UInt8],
        monotonicMilliseconds: @escaping () -> Int64, wallQuality: @escaping () -> Int64 = { 3 },
        randomBytes: @escaping (Int) -> [UInt8] = { Randomness.bytes($0) }, wrappingKey: [UInt8]? = nil,
        formerWrappingKeys: [[UInt8]] = []
    ) {
        self.deviceID = deviceID
        self.shopID = shopID
        self.series = series
        self.bootID = bootID
        self.monotonicMilliseconds = monotonicMilliseconds
        self.wallQuality = wallQuality
        self.randomBytes = randomBytes
        self.wrappingKey = wrappingKey
        self.formerWrappingKeys = formerWrappingKeys
    }
}
