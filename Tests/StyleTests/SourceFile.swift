import NIOCore
import FoundationEssentials
import TestSupport

/// A Swift file of the package.
struct SourceFile {
    /// Path from the top of the package, such as `Sources/Matroska/CRC32.swift`.
    let path: String

    /// What is in it.
    let text: SwiftText

    /// A file from its path and content; fixtures are made so.
    init(path: String, _ content: String) {
        self.path = path
        text = SwiftText(content)
    }

    /// The target it belongs to: the second component of its path.
    var target: String {
        let parts = path.split(separator: "/")
        return parts.count > 1 ? String(parts[1]) : ""
    }

    /// The file's name without `.swift`.
    var name: String {
        String((path.split(separator: "/").last ?? "").dropLast(".swift".count))
    }

    /// Every Swift file below `Sources`, sorted by path; read once for all tests.
    static func all() throws -> [SourceFile] { try found.get() }

    private static let found = Result { try read() }

    private static func read() throws -> [SourceFile] {
        let top = SampleMedia.packagePath
        let names = try FileManager.default.subpathsOfDirectory(atPath: top + "/Sources")
        return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            SourceFile(path: "Sources/\(name)", try text(ofFile: "\(top)/Sources/\(name)"))
        }
    }

    /// The package's manifest.
    static func manifest() throws -> String {
        try text(ofFile: SampleMedia.packagePath + "/Package.swift")
    }

    private static func text(ofFile path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }
}
