import CFFmpeg

/// Calls to libav* that fail by returning a negative number.
enum Libav {
    /// The text of an error number.
    static func text(of code: Int32) -> String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            guard let start = buffer.baseAddress,
                unsafe av_strerror(code, start, buffer.count) >= 0
            else { return "error \(code)" }
            return unsafe String(cString: start)
        }
    }

    /// The error for memory that could not be had.
    static func outOfMemory(_ what: StaticString) -> FFmpegMediaError {
        FFmpegMediaError(.library, "\(what): no memory could be allocated")
    }
}
