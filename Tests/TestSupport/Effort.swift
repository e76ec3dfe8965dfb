import Glibc

/// How much a test does of what it could do for ever.
package enum Effort {
    /// Whether the thread sanitizer watches this process.
    ///
    /// Everything takes ten to thirty times as long then, and what is looked for, two threads at one
    /// value, does not hide in the thousandth mutation of a file.
    package static let isUnderThreadSanitizer = unsafe dlsym(nil, "__tsan_init") != nil

    /// Whether the address sanitizer watches this process; it keeps freed memory for a while.
    package static let isUnderAddressSanitizer = unsafe dlsym(nil, "__asan_init") != nil

    /// A count, or a smaller one under the thread sanitizer.
    package static func count(_ full: Int, underThreadSanitizer capped: Int) -> Int {
        isUnderThreadSanitizer ? capped : full
    }
}
