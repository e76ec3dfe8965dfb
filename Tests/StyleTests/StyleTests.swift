import Testing

/// The package's own rules, held against its sources.
struct StyleTests {
    @Test func `targets import only what the table allows`() throws {
        let files = try SourceFile.all()
        #expect(!files.isEmpty)
        let found = ImportRule.violations(in: files) + ImportRule.unknownTargets(in: files)
        #expect(found == [])
    }

    @Test func `targets depend only on what the table allows`() throws {
        let manifest = try SourceFile.manifest()
        #expect(ManifestReader(manifest).targets.contains { $0.name == "FragmentLog" })
        let found = ImportRule.violations(inManifest: manifest)
        #expect(found == [])
    }

    @Test func `the import table has no circle`() {
        var remaining = ImportTable.ownTargets
        var settled: Set<String> = ["CFFmpeg", "CZlib", "CLinux"]
        while true {
            let next = remaining.filter { $0.value.isSubset(of: settled) }.keys
            if next.isEmpty { break }
            settled.formUnion(next)
            for name in next { remaining[name] = nil }
        }
        #expect(remaining.isEmpty)
    }

    @Test func `a file is named after what it declares`() throws {
        let found = FileNameRule.violations(in: try SourceFile.all())
        #expect(found == [])
    }

    @Test func `what other targets see is documented`() throws {
        let found = DocumentationRule.violations(in: try SourceFile.all())
        #expect(found == [])
    }

    @Test func `nothing ends the process, hides a race or loses a task`() throws {
        let found = ForbiddenRule.violations(in: try SourceFile.all())
        #expect(found == [])
    }

    @Test func `only the client has a public interface`() throws {
        let others = try SourceFile.all().filter { $0.target != "KinelogClient" }
        let found = PublicRule.violations(in: others)
        #expect(found == [])
    }
}
