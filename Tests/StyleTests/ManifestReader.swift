/// Reads the targets and their dependencies out of `Package.swift`.
///
/// It knows the shape that this package's manifest has: `name: "…"`, then `dependencies: [ … ]` of
/// strings and of names that stand for `.product(name: "…")`.
struct ManifestReader {
    /// A target and what it depends on, by module name.
    struct Target: Equatable {
        var name: String
        var dependencies: [String]
    }

    /// Every target that states dependencies, in the order of the file.
    let targets: [Target]

    /// Reads a manifest's text.
    init(_ text: String) {
        let code = text.split(separator: "\n").filter {
            !$0.drop(while: { $0 == " " }).hasPrefix("//")
        }.joined(separator: "\n")
        let products = Self.products(code)
        var found: [Target] = []
        for kind in [".target(", ".testTarget(", ".executableTarget("] {
            for call in Self.calls(of: kind, in: code) {
                guard let name = Self.string(after: "name:", in: call) else { continue }
                let list = Self.list(after: "dependencies:", in: call)
                found.append(Target(name: name, dependencies: Self.modules(list, products)))
            }
        }
        targets = found
    }

    /// `let nioCore: Target.Dependency = .product(name: "NIOCore", …)` as `nioCore` → `NIOCore`.
    private static func products(_ code: String) -> [String: String] {
        var result: [String: String] = [:]
        for part in code.components(after: "let ") {
            let variable = part.prefix { $0.isLetter || $0.isNumber }
            let rest = part.dropFirst(variable.count)
            guard rest.hasPrefix(": Target.Dependency"), let name = string(after: "name:", in: rest)
            else { continue }
            result[String(variable)] = name
        }
        return result
    }

    /// The text inside the parentheses of each call.
    private static func calls(of kind: String, in code: String) -> [Substring] {
        code.components(after: kind).map { rest in
            var depth = 1
            return rest.prefix { character in
                if character == "(" { depth += 1 }
                if character == ")" { depth -= 1 }
                return depth > 0
            }
        }
    }

    private static func string(after label: String, in text: Substring) -> String? {
        guard let rest = text.components(after: label).first,
            let quoted = rest.components(after: "\"").first
        else { return nil }
        return String(quoted.prefix { $0 != "\"" })
    }

    private static func list(after label: String, in text: Substring) -> Substring {
        guard let rest = text.components(after: label).first,
            let list = rest.components(after: "[").first
        else { return "" }
        return list.prefix { $0 != "]" }
    }

    private static func modules(_ list: Substring, _ products: [String: String]) -> [String] {
        list.split { ", \n".contains($0) }.map { item in
            if item.hasPrefix("\"") { return String(item.dropFirst().dropLast()) }
            return products[String(item)] ?? String(item)
        }
    }
}

extension StringProtocol where SubSequence == Substring {
    /// What follows each occurrence of a text.
    fileprivate func components(after separator: String) -> [Substring] {
        var result: [Substring] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            rest = rest[range.upperBound...]
            result.append(rest)
        }
        return result
    }
}
