import Foundation
import HyperslabCore
import HyperslabTestSupport
import SystemPackage
import Testing

@testable import HyperslabFormat

/// A small store with a history, and what every chunk of it holds.
struct Patient {
  /// A chunk's bytes without padding; nil for one never written.
  typealias Contents = [String: [ChunkIndex: [UInt8]?]]

  static let names = ["g/plane", "line", "g/waves"]

  /// Five commits: edge chunks, overwrites, a fill chunk, a chunk never written, negative zero.
  ///
  /// - Returns: chunk files that were overwritten.
  @discardableResult
  static func write(at path: FilePath) throws -> [String: [UInt8]] {
    var stale: [String: [UInt8]] = [:]
    func keep(_ name: String) throws {
      stale[name] = try HyperslabFormatTests.contents(path.appending(name))
    }
    let store = try SlabStore.create(at: path)
    try store.createGroup(try NodePath("g"), attributes: ["note": "a patient"])
    let plane = try store.createDataset(
      try NodePath("g/plane"),
      .init(
        shape: [7, 10], chunkShape: [3, 4], dataType: .int16, unit: "mV",
        compression: .init(filter: .bitshuffle, delta: 0)))
    try writeAll((0..<70).map { Int16($0 * 37 % 101) }, to: plane)
    try store.commit()
    let line = try store.createDataset(try NodePath("line"), row(chunks: 8))
    for chunk in 0..<6 { try line.put(chunk, Int32(chunk * 10)) }
    let waves = try store.createDataset(
      try NodePath("g/waves"),
      .init(
        shape: [9, 5], chunkShape: [4, 5], dataType: .float32,
        compression: .init(filter: .shuffle)))
    try writeAll((0..<45).map { $0 % 7 == 0 ? -0.0 : Float($0) / 8 }, to: waves)
    try store.commit()
    try keep("line/c/1")
    try line.put(1, [7, 8, 9, 10])
    try line.put(4, 44)
    try store.commit()
    try line.put(6, 66)
    try store.setAttribute("step", 4, of: .root)
    try store.commit()
    try keep("line/c/4")
    try line.put(4, 45)
    try store.close()
    return stale
  }

  /// What every chunk reads as; nothing for one whose reading throws.
  static func contents(_ path: FilePath) -> Contents {
    guard let store = try? SlabStore.open(path) else { return [:] }
    var result: Contents = [:]
    for name in names {
      guard let dataset = try? store.dataset(name) else { continue }
      for chunk in dataset.grid.chunks {
        guard let state = try? dataset.state(of: chunk) else { continue }
        if state == .neverWritten {
          result[name, default: [:]][chunk] = .some(nil)
        } else if let bytes = try? dataset.readBytes(dataset.grid.selection(of: chunk).bounds).bytes
        {
          result[name, default: [:]][chunk] = .some(bytes)
        }
      }
    }
    return result
  }
}

/// Expects a store to be sound but for what `isForeign` says is nobody's business.
func expectSound(
  _ path: FilePath, _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let report = try SlabStore.verify(path, threads: 1)
  #expect(report.ok, "\(what): \(report.problems)", sourceLocation: sourceLocation)
  let lost = report.leftovers.filter { !$0.hasPrefix("__slab/lost/") }
  #expect(lost.isEmpty, "\(what)", sourceLocation: sourceLocation)
}
