import Flash
import Glibc
import JSONText

/// The way to the gateway below TLS: link, route, port, round trips. Each looks at one step, so that the first that fails
/// is the one to mend.
extension Examination {
    /// Connections tried for round trips and loss; with 30 ms each less than a second.
    static let roundTrips = 20
    /// More lost than these of twenty makes spoken turns late: Wi-Fi too far away, or a line that is full.
    static let lostMax = 2
    /// A try that takes longer counts as lost.
    static let tryMilliseconds: Int32 = 1_000
    /// After so many lost in a row the rest is not tried: nobody waits 20 s to hear what is known.
    static let lostInARowMax = 3

    private var isOnThisMachine: Bool {
        guard let host = gateway?.host else { return false }
        return host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    /// Is there a cable or Wi-Fi that carries?
    ///
    /// - Parameter root: in front of /sys, for tests.
    func link(root: String = "") -> Finding {
        guard gateway != nil else { return .skipped("link", "no gateway is set") }
        if isOnThisMachine { return .skipped("link", "the gateway is this machine") }
        var carrying: [String] = []
        var found: [String] = []
        for name in (try? Flash.names(in: "\(root)/sys/class/net")) ?? [] where name != "lo" {
            found.append(name)
            // `carrier` is 1 with a cable in or a Wi-Fi joined; a card that is switched off refuses to be read.
            if FileBytes.read("\(root)/sys/class/net/\(name)/carrier", bytesMax: 16)?.first == UInt8(ascii: "1") {
                carrying.append(name)
            }
        }
        let figures: JSONValue = ["interfaces": .array(found.map { .string($0) })]
        guard !found.isEmpty else {
            return .failed("link", "the box has no network card that the kernel knows", figures)
        }
        guard let first = carrying.first else {
            return .failed("link", "no cable is in and no Wi-Fi is joined; check the plug or the Wi-Fi's name", figures)
        }
        return .passed("link", "\(first) carries", figures)
    }

    /// Did a router give an address and a way out? (DHCP, or by hand.)
    ///
    /// - Parameter root: in front of /proc, for tests.
    func route(root: String = "") -> Finding {
        guard gateway != nil else { return .skipped("route", "no gateway is set") }
        if isOnThisMachine { return .skipped("route", "the gateway is this machine") }
        func lines(_ name: String) -> [Substring] {
            let bytes = FileBytes.read("\(root)/proc/self/net/\(name)", bytesMax: 256 * 1024) ?? []
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        }
        // route: interface, destination, gateway, ...; the default one goes to 00000000. ipv6_route: destination,
        // its length in bits, ...; the kernel's own entry of last resort stands on `lo`.
        let old = lines("route").dropFirst().contains {
            $0.split(whereSeparator: \.isWhitespace).dropFirst().first == "00000000"
        }
        let new = lines("ipv6_route").contains { line in
            let fields = line.split(separator: " ")
            return fields.count >= 10 && fields[1] == "00" && fields[9] != "lo"
        }
        guard old || new else {
            return .failed("route", "no router gave the box an address (DHCP); check the router, start it anew")
        }
        return .passed("route", "there is a way out")
    }

    /// Opens a connection and closes it. Blocking, at most 3 s an address.
    func reach() -> Finding {
        guard gateway != nil else { return .skipped("reach", "no gateway is set") }
        guard let addresses = addresses() else { return .skipped("reach", "the gateway's name has no address") }
        defer { freeaddrinfo(addresses) }
        var next: UnsafeMutablePointer<addrinfo>? = addresses
        var why = "no address"
        while let at = next {
            next = at.pointee.ai_next
            switch Self.connect(to: at, milliseconds: 3_000) {
            case .success(let took): return .passed("reach", "the gateway's port is open", ["ms": .integer(took)])
            case .failure(let fault): why = fault.words
            }
        }
        return .failed("reach", "the gateway's port cannot be reached (\(why)); check the network and cloud.url")
    }

    /// Twenty connections one after the other: how long each took, and how many came to nothing. Blocking, 4 s at most
    /// where the way is dead.
    func roundTrip() -> Finding {
        guard gateway != nil else { return .skipped("round trip", "no gateway is set") }
        guard let addresses = addresses() else { return .skipped("round trip", "the gateway's name has no address") }
        defer { freeaddrinfo(addresses) }
        var times: [Int64] = []
        var tried = 0
        var lostInARow = 0
        while tried < Self.roundTrips, lostInARow < Self.lostInARowMax {
            tried += 1
            if case .success(let took) = Self.connect(to: addresses, milliseconds: Self.tryMilliseconds) {
                times.append(took)
                lostInARow = 0
            } else {
                lostInARow += 1
            }
        }
        return Self.roundTrip(times: times, tried: tried)
    }

    static func roundTrip(times: [Int64], tried: Int) -> Finding {
        let sorted = times.sorted()
        let lost = tried - times.count
        guard let middle = sorted.isEmpty ? nil : sorted[sorted.count / 2], let most = sorted.last else {
            return .failed("round trip", "no connection came to the gateway; check the network")
        }
        let figures: JSONValue = [
            "tried": .integer(Int64(tried)), "lost": .integer(Int64(lost)), "p50_ms": .integer(middle),
            "max_ms": .integer(most),
        ]
        if lost > lostMax || lost >= lostInARowMax {
            return .failed(
                "round trip", "\(lost) of \(tried) connections were lost; Wi-Fi too far away, or the line is full",
                figures)
        }
        return .passed("round trip", "\(middle) ms, at most \(most) ms, \(lost) of \(tried) lost", figures)
    }

    private struct Unreached: Error { var words: String }

    private func addresses() -> UnsafeMutablePointer<addrinfo>? {
        guard let gateway else { return nil }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        return getaddrinfo(gateway.host, gateway.port, &hints, &found) == 0 ? found : nil
    }

    /// - Returns: milliseconds it took.
    private static func connect(
        to at: UnsafeMutablePointer<addrinfo>, milliseconds: Int32
    ) -> Result<Int64, Unreached> {
        let file = socket(at.pointee.ai_family, at.pointee.ai_socktype | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard file >= 0 else { return .failure(Unreached(words: String(cString: strerror(errno)))) }
        defer { close(file) }
        let begun = Moment.monotonicMilliseconds()
        if Glibc.connect(file, at.pointee.ai_addr, at.pointee.ai_addrlen) != 0, errno != EINPROGRESS {
            return .failure(Unreached(words: String(cString: strerror(errno))))
        }
        var polled = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        guard poll(&polled, 1, milliseconds) > 0 else {
            return .failure(Unreached(words: "no answer in \(milliseconds / 1000) s"))
        }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(file, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { return .failure(Unreached(words: String(cString: strerror(code)))) }
        return .success(Moment.monotonicMilliseconds() - begun)
    }
}
