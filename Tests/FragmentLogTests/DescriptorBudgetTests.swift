import Testing

@testable import FragmentLog

struct DescriptorBudgetTests {
    private static let wanted = LogConfiguration(directory: "/")

    /// What is open when everything is in use.
    private static func used(_ budget: DescriptorBudget) -> Int {
        budget.cached + budget.sessions * 4 + (budget.connections - budget.sessions) * 3
    }

    @Test(arguments: [256, 1024, 4096, 20_000, 65_536, 1 << 20], [1, 2, 16, 64])
    func `everything in use at a time fits`(limit: Int, cores: Int) {
        let budget = DescriptorBudget(limit: limit, cores: cores, Self.wanted)
        #expect(budget.sessions < budget.connections, "others are answered too")
        #expect(Self.used(budget) <= max(limit - 160 - 3 * cores, 20))
        #expect(budget.cached >= 1)
    }

    @Test func `where there are enough, everybody gets what is wanted`() {
        let budget = DescriptorBudget(limit: 1 << 20, cores: 8, Self.wanted)
        #expect(budget.sessions == 4096)
        #expect(budget.connections == 8192)
        #expect(budget.cached == 512)
    }

    @Test func `fewer may be wanted`() {
        var configuration = Self.wanted
        configuration.sessionsMax = 3
        configuration.connectionsMax = 7
        let budget = DescriptorBudget(limit: 1024, cores: 2, configuration)
        #expect(budget.sessions == 3)
        #expect(budget.connections == 7)
    }
}
