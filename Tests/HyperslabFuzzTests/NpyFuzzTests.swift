import Foundation
import Hyperslab
import HyperslabTestSupport
import SystemPackage
import Testing

/// `.npy` files: whatever stands in them, an array or an error comes out.
@Suite struct NpyFuzzTests {
  /// A file that is written anew for every input.
  private final class Scratch {
    let path = FilePath(
      FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID().uuidString)")
        .path
    )

    func write(_ bytes: [UInt8]) throws {
      let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
      try file.closeAfter { _ = try file.writeAll(bytes) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path.string) }
  }

  private static func feed(
    _ bytes: [UInt8], _ scratch: Scratch, _ generator: inout SeededGenerator
  ) throws {
    let header = try NpyHeader(parsing: bytes)
    try demand(header.byteCount <= bytes.count, "a header of \(header.byteCount) bytes")
    if let again = try? header.encoded() {
      var second = try NpyHeader(parsing: again)
      try demand(second.byteCount == again.count, "the header written again ends elsewhere")
      second.byteCount = header.byteCount
      try demand(second == header, "the header written again is another")
    }
    try scratch.write(bytes)
    let file = try NpyFile(scratch.path)
    let size = file.dataType.byteCount
    let box = Selection(
      file.shape.map { length in
        let low = Int.random(in: 0...length, using: &generator)
        return low..<Int.random(in: low...Swift.min(length, low + 1000), using: &generator)
      })
    guard let count = box.shape.elementCount, count < 1 << 16 else { return }
    let sum = try file.withBytes(of: box) { span, layout -> Int in
      guard let range = layout.byteRange(elementByteCount: size) else { return 0 }
      return range.reduce(0) { $0 &+ Int(span.unsafeLoad(fromByteOffset: $1, as: UInt8.self)) }
    }
    _ = sum
    let read = try [UInt8](unsafeUninitializedCapacity: count * size) { memory, initialized in
      var output = OutputRawSpan(
        buffer: UnsafeMutableRawBufferPointer(memory), initializedCount: 0)
      try file.read(box, into: &output)
      initialized = output.finalize(for: UnsafeMutableRawBufferPointer(memory))
    }
    try demand(read.count == count * size, "\(read.count) bytes read of \(count * size)")
  }

  private static func sample(_ generator: inout SeededGenerator) throws -> [UInt8] {
    var shapes = ShapeGenerator(generator, elementLimit: 60)
    let shape = shapes.arrayShape()
    generator = shapes.generator
    let dataType = DataType.allCases.randomElement(using: &generator) ?? .int8
    let header = NpyHeader(
      shape: shape,
      type: NumPyType(dataType, byteOrder: generator.chance(1, in: 2) ? .little : .big),
      isFortranOrder: generator.chance(1, in: 2))
    let count = shape.elementCount ?? 0
    return try header.encoded()
      + ElementPattern.bytes(count: count, of: dataType, using: &generator)
  }

  private static func mutate(
    _ bytes: [UInt8], other: [UInt8], _ generator: inout SeededGenerator
  ) -> [UInt8] {
    var result = bytes
    let end = Swift.min(bytes.count, bytes.firstIndex(of: 0x0A).map { $0 + 1 } ?? 0)
    var head = Array(bytes[..<end])
    if generator.chance(1, in: 2) {
      head = Array(head.prefix(10)) + Mutator.text(Array(head.dropFirst(10)), using: &generator)
    } else {
      head = Mutator.bytes(head, other: other, using: &generator)
    }
    // In half of the cases the length of the header is right again.
    if head.count > 10, head.count < 1 << 16, generator.chance(1, in: 2) {
      head[8] = UInt8((head.count - 10) & 0xFF)
      head[9] = UInt8((head.count - 10) >> 8)
    }
    result.replaceSubrange(..<end, with: head)
    if generator.chance(1, in: 8) {
      result = Mutator.bytes(result, other: other, using: &generator)
    }
    return result
  }

  @Test func arrayFiles() {
    let scratch = Scratch()
    Fuzzer(target: "npy", defaultCount: 8000).run { generator, input in
      let other = try Self.sample(&generator)
      input = Self.mutate(try Self.sample(&generator), other: other, &generator)
      try Self.feed(input, scratch, &generator)
    }
  }

  @Test func keptArrayFiles() throws {
    let inputs = try Corpus.inputs("npy")
    #expect(!inputs.isEmpty)
    let scratch = Scratch()
    var generator = SeededGenerator("kept npy")
    for (name, bytes) in inputs {
      do { try Self.feed(bytes, scratch, &generator) } catch {
        #expect(error is HyperslabError, "\(name): \(error)")
      }
    }
  }
}
