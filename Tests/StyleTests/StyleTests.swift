import Testing

/// The package's own rules, held against its sources.
struct StyleTests {
    @Test func `targets import only what the table allows`() throws {
        let files = try SourceFile.all()
        #expect(!files.isEmpty)
        #expect(ImportRule.violations(in: files) == [])
        #expect(ImportRule.unknownTargets(in: files) == [])
    }

    @Test func `targets depend only on what the table allows`() throws {
        let manifest = try SourceFile.manifest()
        #expect(ManifestReader(manifest).targets.contains { $0.name == "FragmentLog" })
        #expect(ImportRule.violations(inManifest: manifest) == [])
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
        #expect(FileNameRule.violations(in: try SourceFile.all()) == [])
    }

    @Test func `what other targets see is documented`() throws {
        #expect(DocumentationRule.violations(in: try SourceFile.all()) == [])
    }

    @Test func `nothing ends the process, hides a race or loses a task`() throws {
        #expect(ForbiddenRule.violations(in: try SourceFile.all()) == [])
    }

    @Test func `only the client has a public interface`() throws {
        let others = try SourceFile.all().filter { $0.target != "KinelogClient" }
        #expect(PublicRule.violations(in: others) == [])
    }
}
