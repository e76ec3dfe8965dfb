extension Duration {
    /// Whole milliseconds, held at the ends of the range.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max : scaled + attoseconds / 1_000_000_000_000_000
    }
}
