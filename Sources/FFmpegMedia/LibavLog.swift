import CFFmpeg
import Glibc

/// What libav* said while it worked for one demuxer; confined to that demuxer's thread.
final class LibavMessages {
    /// The newest error, or the newest warning while there was no error.
    private(set) var last: String?

    private var lastIsError = false

    /// Warnings and errors so far.
    private(set) var count = 0

    /// Bytes of a message that are kept.
    static let byteCountMax = 200

    /// Keeps a message.
    func add(_ text: String, isError: Bool) {
        count += 1
        guard isError || !lastIsError else { return }
        last = text
        lastIsError = isError
    }

    /// Forgets the messages, so that the next error is not explained by an old one.
    func clear() {
        last = nil
        lastIsError = false
    }
}

/// Where the log of libav* goes: into the messages of whoever is calling, or nowhere.
///
/// libav* has one log callback per process. It finds the caller's messages by thread: none of the
/// calls made here starts threads of its own.
enum LibavLog {
    /// Sets the process up once: the log callback, and the largest block libav* may allocate.
    ///
    /// A few bytes of MP4 can claim an index of gigabytes; 128 MiB hold any sample that fits the
    /// limit of a fragment.
    private static let setUp: pthread_key_t = {
        var key = pthread_key_t()
        unsafe pthread_key_create(&key, nil)
        installCallback()
        av_max_alloc(allocationByteCountMax)
        return key
    }()

    private static let allocationByteCountMax = 128 << 20

    /// Runs calls to libav* and keeps what they log.
    static func collecting<Result, Failure: Error>(
        into messages: LibavMessages,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let key = setUp
        let outer = unsafe pthread_getspecific(key)
        unsafe pthread_setspecific(key, Unmanaged.passUnretained(messages).toOpaque())
        defer { unsafe pthread_setspecific(key, outer) }
        return try body()
    }

    private static func installCallback() {
        unsafe av_log_set_callback { object, level, format, arguments in
            guard level <= AV_LOG_WARNING, let arguments = unsafe arguments,
                let target = unsafe pthread_getspecific(LibavLog.setUp)
            else { return }
            let messages = unsafe Unmanaged<LibavMessages>.fromOpaque(target).takeUnretainedValue()
            // No prefix: it names the object by its address.
            var prefix: Int32 = 0
            let text = unsafe withUnsafeTemporaryAllocation(
                of: CChar.self,
                capacity: LibavMessages.byteCountMax
            ) { line in
                unsafe av_log_format_line2(
                    object,
                    level,
                    format,
                    arguments,
                    line.baseAddress,
                    Int32(line.count),
                    &prefix
                )
                return unsafe LibavLog.printable(line)
            }
            messages.add(text, isError: level <= AV_LOG_ERROR)
        }
    }

    /// A C string with everything that could upset a terminal or a log replaced.
    private static func printable(_ line: UnsafeMutableBufferPointer<CChar>) -> String {
        var text = ""
        for index in line.indices {
            let character = unsafe line[index]
            if character == 0 { break }
            let isPrintable = character >= 0x20 && character < 0x7F
            if isPrintable { text.unicodeScalars.append(Unicode.Scalar(UInt8(character))) }
        }
        return text
    }
}
