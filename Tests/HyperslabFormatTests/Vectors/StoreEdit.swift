import Foundation
import HyperslabCore
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One change of a file of a store.
struct StoreEdit {
  private let operation: String
  private let file: String
  private let target: String
  private let offset: Int
  private let removed: Int
  private let inserted: [UInt8]

  init(_ fields: JSONObject) {
    operation = fields["op"]?.string ?? ""
    file = fields["file"]?.string ?? ""
    target = fields["to"]?.string ?? fields["target"]?.string ?? ""
    offset = fields["at"]?.integer ?? 0
    removed = fields["remove"]?.integer ?? 0
    inserted = Self.bytes(fields)
  }

  private static func bytes(_ fields: JSONObject) -> [UInt8] {
    if let text = fields["text"]?.string {
      guard let times = fields["repeat"]?.integer else { return Array(text.utf8) }
      return (0..<times).flatMap { Array(text.replacing("#", with: "\($0)").utf8) }
    }
    let digits = Array((fields["hex"]?.string ?? "").utf8)
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
    }
  }

  /// The files that it touches.
  private var names: [String] { operation == "copy" ? [file, target] : [file] }

  private struct UnknownOperation: Error { let name: String }

  func apply(to store: FilePath) throws {
    let manager = FileManager.default
    let path = store.pushing(FilePath(file))
    switch operation {
    case "splice":
      var bytes = try contents(path)
      bytes.replaceSubrange(offset..<offset + removed, with: inserted)
      try write(bytes, to: path)
    case "create":
      try manager.createDirectory(
        atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
      try write(inserted, to: path)
    case "delete": try remove(path)
    case "copy": try manager.copyItem(atPath: path.string, toPath: "\(store)/\(target)")
    case "directory":
      try manager.createDirectory(atPath: path.string, withIntermediateDirectories: false)
    case "link":
      try manager.createSymbolicLink(atPath: path.string, withDestinationPath: target)
    case "fifo":
      guard mkfifo(path.string, 0o600) == 0 else { throw UnknownOperation(name: "mkfifo") }
    default: throw UnknownOperation(name: operation)
    }
  }

  /// Makes everything that edits touched what it is in the original.
  static func undo(_ edits: [StoreEdit], in store: FilePath, original: FilePath) throws {
    let manager = FileManager.default
    // Outer ones first: below a link that took a directory's place stand somebody else's files.
    let names = Set(edits.flatMap(\.names)).sorted()
    for name in names { try? manager.removeItem(atPath: "\(store)/\(name)") }
    for name in names
    where manager.fileExists(atPath: "\(original)/\(name)")
      && !manager.fileExists(atPath: "\(store)/\(name)")
    {
      try manager.copyItem(atPath: "\(original)/\(name)", toPath: "\(store)/\(name)")
    }
  }
}
