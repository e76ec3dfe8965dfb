import Foundation
import Glibc

/// Makes a directory.
func makeDirectory(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
}

/// Sets the rights of a file.
func setMode(_ path: String, _ mode: mode_t) throws {
    try FileManager.default.setAttributes([.posixPermissions: Int(mode)], ofItemAtPath: path)
}

/// Whether the process may read everything.
var isRoot: Bool { geteuid() == 0 }
