import FoundationEssentials
package import FragmentLog
package import NIOCore
import TestSupport

/// The files of a data directory, as a test that damages them sees them.
extension TemporaryLog {
    /// Every file, relative to the data directory, sorted.
    package func files() throws -> [String] {
        var found: [String] = []
        try collect("", &found)
        return found.sorted()
    }

    private func collect(_ folder: String, _ found: inout [String]) throws {
        let base = folder.isEmpty ? configuration.directory : file(folder)
        for name in try FileManager.default.contentsOfDirectory(atPath: base) {
            let relative = folder.isEmpty ? name : "\(folder)/\(name)"
            var isDirectory = false
            if FileManager.default.fileExists(atPath: file(relative), isDirectory: &isDirectory),
                isDirectory
            {
                try collect(relative, &found)
            } else {
                found.append(relative)
            }
        }
    }

    /// The only file whose name ends so.
    package func onlyFile(_ suffix: String) throws -> String {
        let found = try files().filter { $0.hasSuffix(suffix) }
        guard let name = found.first, found.count == 1 else {
            throw TestFailure("\(found.count) files end in \(suffix)")
        }
        return name
    }

    /// The content of a file.
    package func bytes(_ name: String) throws -> ByteBuffer { try contents(ofFile: file(name)) }

    /// Replaces a file.
    package func replace(_ name: String, with bytes: ByteBuffer) throws {
        try write(bytes, toFile: file(name))
    }

    /// Removes a file or a directory.
    package func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: file(name))
    }

    /// Which file a name leads to; another one once the file was replaced.
    package func inode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: file(name))
        guard let number = attributes[.systemFileNumber] as? Int else {
            throw TestFailure("\(name) has no file number")
        }
        return number
    }

    /// Makes an empty directory.
    package func make(_ name: String) throws {
        try FileManager.default.createDirectory(
            atPath: file(name),
            withIntermediateDirectories: false
        )
    }

    /// Inverts bits of one byte of a file.
    package func flip(_ name: String, at offset: Int, bits: UInt8 = 0x10) throws {
        var bytes = try bytes(name)
        guard let byte = bytes.getInteger(at: offset, as: UInt8.self) else {
            throw TestFailure("\(name) has no byte \(offset)")
        }
        bytes.setInteger(byte ^ bits, at: offset)
        try replace(name, with: bytes)
    }

    /// A copy in a directory of its own.
    package func copied() throws -> TemporaryLog {
        let copy = try TemporaryLog(clock: configuration.clock)
        try FileManager.default.copyItem(
            atPath: configuration.directory,
            toPath: copy.configuration.directory
        )
        return copy.with { $0.roll = configuration.roll }
    }

    /// The same place with a changed configuration.
    package func with(_ change: (inout LogConfiguration) -> Void) -> TemporaryLog {
        var changed = self
        change(&changed.configuration)
        return changed
    }

    /// An offline check at the log's own time.
    package func verify() async throws -> VerifyReport {
        try await FragmentLog.verify(
            directory: configuration.directory,
            clock: configuration.clock
        )
    }

    /// An offline repair at the log's own time.
    package func repair() async throws -> RepairReport {
        try await FragmentLog.repair(
            directory: configuration.directory,
            clock: configuration.clock
        )
    }
}

extension StreamLog {
    /// All stored fragments from the oldest on.
    package func allFragments() async throws -> [FragmentRecord] {
        var cursor = try await cursor(.earliest)
        var records: [FragmentRecord] = []
        while case .stored(let record) = try await cursor.next(follow: false) {
            records.append(record)
        }
        return records
    }
}
