import Testing

/// Every rule, shown to find what it is there to find.
struct RuleTests {
    private func file(_ path: String, _ content: String) -> SourceFile {
        SourceFile(path: "Sources/\(path).swift", content)
    }

    @Test(arguments: [
        ("Ingest/A", "import Playback", "Sources/Ingest/A.swift:1: Ingest may not import Playback"),
        (
            "Playback/A", "package import GRDB",
            "Sources/Playback/A.swift:1: Playback may not import GRDB"
        ),
        (
            "MediaModel/A", "import Logging",
            "Sources/MediaModel/A.swift:1: MediaModel may not import Logging"
        ),
        (
            "Matroska/A", "\n@preconcurrency import class Dispatch.DispatchQueue",
            "Sources/Matroska/A.swift:2: Matroska may not import Dispatch"
        ),
        (
            "ServerHTTP/A", "import Foundation",
            "Sources/ServerHTTP/A.swift:1: ServerHTTP may not import Foundation"
        ),
        (
            "KinelogClient/A", "import FragmentLog",
            "Sources/KinelogClient/A.swift:1: KinelogClient may not import FragmentLog"
        ),
    ])
    func `an import outside the table is found`(path: String, content: String, found: String) {
        #expect(ImportRule.violations(in: [file(path, content)]) == [found])
    }

    @Test(arguments: [
        "// import Playback", "/* import\nimport Playback */", "let text = \"import Playback\"",
        "let text = \"\"\"\n    import Playback\n    \"\"\"", "let `import` = Playback",
        "import NIOCore", "private import struct MediaModel.Timestamp",
    ])
    func `what is no such import is not found`(content: String) {
        #expect(ImportRule.violations(in: [file("Ingest/A", content)]) == [])
    }

    @Test func `a folder outside the table is found`() {
        #expect(
            ImportRule.unknownTargets(in: [file("Helpers/A", "")])
                == ["Sources/Helpers is not in the import table"]
        )
    }

    @Test func `a dependency outside the table is found`() {
        let manifest = """
            let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
            let nioCore: Target.Dependency = .product(
                name: "NIOCore", package: "swift-nio")
            targets = [
                // .target(name: "MediaModel", dependencies: ["FragmentLog"]),
                .target(name: "MediaModel", swiftSettings: settings),
                .target(
                    name: "Playback",
                    dependencies: [
                        "FragmentLog", "Ingest", grdb, nioCore,
                    ],
                    swiftSettings: settings
                ),
                .testTarget(name: "PlaybackTests", dependencies: ["Ingest"]),
            ]
            """
        #expect(
            ImportRule.violations(inManifest: manifest) == [
                "Package.swift: Playback may not depend on Ingest",
                "Package.swift: Playback may not depend on GRDB",
            ]
        )
    }

    @Test func `a file named after nothing in it is found`() {
        let files = [
            file("Matroska/Right", "/// …\npackage struct Right {}"),
            file("Matroska/Right+More", "extension Right.Part {}"),
            file("Matroska/Wrong", "package struct Right {\n    struct Wrong {}\n}"),
            file("Matroska/Right+Wrong", "package struct Right {}"),
        ]
        #expect(
            FileNameRule.violations(in: files) == [
                "Sources/Matroska/Wrong.swift: declares no Wrong",
                "Sources/Matroska/Right+Wrong.swift: extends no Right",
            ]
        )
    }

    @Test(arguments: [
        "package struct Bare {}", "package static func bare() {}", "    package let bare: Int",
        "package private(set) var bare = 0", "// A comment.\npackage enum Bare {}",
        "package final class Bare {}", "package init() {}", "@frozen package struct Bare {}",
        "/// Documented.\npackage let a: Int\npackage func bare() {}",
        "/// About something else.\n\npackage struct Bare {}", "package mutating func bare() {}",
    ])
    func `an undocumented declaration is found`(content: String) {
        #expect(DocumentationRule.violations(in: [file("Matroska/A", content)]).count == 1)
    }

    @Test(arguments: [
        "/// Documented.\npackage struct A {}", "/// Documented.\n@frozen\npackage struct A {}",
        "struct A {}", "package import NIOCore", "    package var description: String { text }",
        "/// Both.\npackage let width: Int\npackage let height: Int",
        "protocol A {\n/// Documented.\nfunc a()\n}\nstruct B: A {\npackage func a() {}\n}",
        "package static func < (left: Self, right: Self) -> Bool {", "let package = Package()",
        "package extension A {", "\"package struct A\"",
    ])
    func `what needs no documentation is not found`(content: String) {
        #expect(DocumentationRule.violations(in: [file("Matroska/A", content)]) == [])
    }

    @Test(arguments: [
        "let a = try! b()", "fatalError(\"no\")", "final class A: @unchecked Sendable {}",
        "    Task.detached { }", "nonisolated(unsafe) var a = 0", "import Foundation",
        "preconditionFailure()",
        "@_exported import NIOCore",
    ])
    func `a forbidden construct is found`(content: String) {
        let files = [file("Matroska/A", "\n" + content)]
        let found = ForbiddenRule.violations(in: files, exceptions: [])
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("Sources/Matroska/A.swift:2: ") == true)
    }

    @Test func `an exception allows one construct in one file, and must be needed`() {
        let files = [file("Matroska/A", "fatalError()"), file("Matroska/B", "fatalError()")]
        let exceptions = [
            ForbiddenRule.Exception(
                path: "Sources/Matroska/A.swift",
                construct: "fatalError(",
                reason: "a fixture"
            ),
            ForbiddenRule.Exception(
                path: "Sources/Matroska/C.swift",
                construct: "try!",
                reason: "a fixture"
            ),
        ]
        let found = ForbiddenRule.violations(in: files, exceptions: exceptions)
        #expect(found.count == 2)
        #expect(found.last == "exception without use: Sources/Matroska/C.swift try!")
    }

    @Test func `a public declaration is found`() {
        let files = [
            file("Matroska/A", "public struct A {}"),
            file("Matroska/B", "public import NIOCore"),
            file("Matroska/C", "    public private(set) var a = 0"),
            file("Matroska/E", "open class A {}"),
            file("Matroska/F", "open.append(\"public\")"),
            file("Matroska/D", "let note = \"public\"  // public"),
        ]
        #expect(
            PublicRule.violations(in: files).map { $0.prefix(26) } == [
                "Sources/Matroska/A.swift:1", "Sources/Matroska/B.swift:1",
                "Sources/Matroska/C.swift:1", "Sources/Matroska/E.swift:1",
            ]
        )
    }

    @Test(arguments: [
        (#"a "b" c"#, #"a " " c"#),
        (#"a "\"b" c"#, #"a "   " c"#),
        (##"a #"b"c"# d"##, ##"a #"   "# d"##),
        ("a \"\\(b(\"c\")) d\" e", "a \"           \" e"),
        ("a /* b /* c */ d */ e", "a                   e"),
        ("a // b\nc", "a     \nc"),
    ])
    func `comments and strings are blanked in place`(text: String, blanked: String) {
        #expect(SwiftText(text).code.joined(separator: "\n") == blanked)
    }
}
