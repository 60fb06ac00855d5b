import Foundation
import HyperslabCore
import SystemPackage

/// A fresh directory that goes away with its owner.
final class TemporaryDirectory: Sendable {
  let path: FilePath

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("hyperslab-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = FilePath(url.path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path.string) }

  /// Every regular file below, relative, sorted.
  func files(in store: FilePath) throws -> [String] {
    let all = try FileManager.default.subpathsOfDirectory(atPath: store.string)
    return all.filter {
      var isDirectory: ObjCBool = false
      let there = FileManager.default.fileExists(
        atPath: store.appending($0).string, isDirectory: &isDirectory)
      return there && !isDirectory.boolValue
    }.sorted()
  }
}

func contents(_ path: FilePath) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: path.string)))
}

func write(_ bytes: [UInt8], to path: FilePath) throws {
  try Data(bytes).write(to: URL(fileURLWithPath: path.string))
}

func remove(_ path: FilePath) throws {
  try FileManager.default.removeItem(atPath: path.string)
}

func copyTree(_ from: FilePath, to: FilePath) throws {
  try FileManager.default.copyItem(atPath: from.string, toPath: to.string)
}

/// Puts an index in the place of a store's, and a copy of it, as whoever writes one does.
func putIndex(_ bytes: [UInt8], in store: FilePath) throws {
  try write(bytes, to: store.appending("slab.json"))
  if let commit = try JSONParser.parse(bytes).object?["commit"]?.integer {
    try write(bytes, to: store.appending("__slab/root-\(commit)"))
  }
}
