import Foundation
import Hyperslab
import SystemPackage
import Testing

/// A store of very many chunks. The figures are printed; what is asserted are bytes, files and memory,
/// never times.
@Suite struct ScaleTests {
  private static var side: Int {
    ProcessInfo.processInfo.environment["HYPERSLAB_TORTURE"] == nil ? 100 : 1000
  }

  private let directory: TemporaryDirectory
  private let path: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
  }

  /// A byte per chunk, nearly all of them the fill value.
  private struct Source: DataChunkSource {
    let shape: Shape
    let dataType = DataType.uint8

    func read(_ selection: Selection, into buffer: inout OutputRawSpan) throws {
      for row in selection.bounds[0] {
        for column in selection.bounds[1] {
          buffer.append(row % 100 == 0 && column % 100 == 0 ? 7 as UInt8 : 0, as: UInt8.self)
        }
      }
    }
  }

  private func write(bufferShape: Shape) throws {
    let store = try SlabStore.create(at: path)
    let source = Source(shape: [Self.side, Self.side])
    let iterator = try GenericDataChunkIterator(
      source, bufferShape: bufferShape, chunkShape: [1, 1])
    try store.write(
      iterator, to: "x", options: WriteOptions(maximumShape: [nil, Self.side]))
    try store.close()
  }

  /// Resident memory of this process and the most that it was, in bytes.
  private func memory() -> (now: Int, most: Int) {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    func field(_ name: String) -> Int {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
      return 1024 * (line.split(separator: " ").compactMap { Int($0) }.first ?? 0)
    }
    return (field("VmRSS:"), field("VmHWM:"))
  }

  private func tables() throws -> (files: Int, bytes: Int) {
    let root = URL(fileURLWithPath: path.appending("__slab/t").string)
    let files = try FileManager.default.subpathsOfDirectory(atPath: root.path)
      .filter { $0.hasSuffix(".json") }
    let bytes = try files.reduce(0) { sum, name in
      let attributes = try FileManager.default.attributesOfItem(
        atPath: root.appendingPathComponent(name).path)
      return sum + (attributes[.size] as? Int ?? 0)
    }
    return (files.count, bytes)
  }

  @Test(arguments: [true, false])
  func tablesStaySmallHoweverTheBuffersLie(byColumns: Bool) throws {
    let side = Self.side
    let before = memory()
    let start = ContinuousClock.now
    try write(bufferShape: byColumns ? [side, 1] : [1, side])
    let written = try tables()
    print(
      "scale: \(side * side) chunks by \(byColumns ? "columns" : "rows"):",
      "\(written.bytes) bytes in \(written.files) tables,",
      "\(ContinuousClock.now - start), \((memory().most - before.now) >> 20) MiB more than before")
    // Nothing is swept within ten minutes, so this is all that was ever written.
    #expect(written.bytes < side * side * 200)
  }

  @Test func openingAndAppendingCostWhatTheyTouch() throws {
    let side = Self.side
    try write(bufferShape: [1, side])
    func timed<R>(_ what: String, _ body: () throws -> R) throws -> R {
      let start = ContinuousClock.now
      let result = try body()
      print("scale: \(what): \(ContinuousClock.now - start)")
      return result
    }
    let root = try contentsByteCount("slab.json")
    print("scale: slab.json of \(side * side) chunks: \(root) bytes")
    #expect(root < 64 << 10)
    for _ in 0..<3 {
      _ = try timed("open") { try SlabStore.open(path) }
      let store = try timed("open, first element") {
        let store = try SlabStore.open(path)
        #expect(
          try store.dataset("x").read(
            UInt8.self, [side / 2..<side / 2 + 1, 0..<1], missing: .refuse
          )
          .elements.count == 1)
        return store
      }
      _ = try timed("info") { try store.node(NodePath("x")) }
      let writer = try SlabStore.open(path, mode: .readWrite)
      try timed("append one chunk and commit") {
        let x = try writer.dataset("x")
        let shape = x.grid.arrayShape
        let longer = try x.resized(to: [shape[0] + 1, shape[1]])
        try [UInt8(1)].withUnsafeBytes {
          try longer.writeChunk(
            [shape[0], 0], from: $0.bytes,
            layout: StridedLayout(shape: [1, 1], byteStrides: [1, 1]))
        }
        try writer.commit()
      }
      try timed("overwrite one chunk and commit") {
        try [UInt8(2)].withUnsafeBytes {
          try writer.dataset("x").writeChunk(
            [5, 5], from: $0.bytes, layout: StridedLayout(shape: [1, 1], byteStrides: [1, 1]))
        }
        try writer.commit()
      }
      try timed("close") { try writer.close() }
    }
    let report = try timed("verify") { try SlabStore.verify(path) }
    #expect(report.ok, "\(report.problems.prefix(5))")
    print("scale: memory now \(memory().now >> 20) MiB, at most \(memory().most >> 20) MiB")
  }

  private func contentsByteCount(_ name: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path.appending(name).string)
    return attributes[.size] as? Int ?? 0
  }
}
