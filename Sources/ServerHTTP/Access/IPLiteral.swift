import Glibc

/// An IP address written out, as opposed to a name that somebody's DNS server resolves.
struct IPLiteral: Equatable {
    /// 4 or 16 bytes, in network order.
    let bytes: [UInt8]

    /// Reads an address in dotted or colon form.
    ///
    /// Gives `nil` for names, and for the short and octal forms (`127.1`, `0x7f.1`) that some
    /// resolvers take for addresses.
    init?(_ text: String) {
        var four = in_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            bytes = unsafe withUnsafeBytes(of: &four) { unsafe Array($0) }
            return
        }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        bytes = unsafe withUnsafeBytes(of: &six) { unsafe Array($0) }
    }

    /// 127.0.0.0/8, ::1, or the former mapped into IPv6.
    var isLoopback: Bool {
        if bytes.count == 4 { return bytes[0] == 127 }
        if bytes.dropLast().allSatisfy({ $0 == 0 }) { return bytes[15] == 1 }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        return isMapped && bytes[12] == 127
    }

    /// 0.0.0.0 or `::`.
    var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }
}
