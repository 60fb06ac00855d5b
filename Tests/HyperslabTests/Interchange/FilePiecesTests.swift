import Foundation
import Hyperslab
import SystemPackage
import Testing

/// Files are read in pieces of buffers, in either order of axes; what arrives is the array.
@Suite struct FilePiecesTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// A file of an array whose element at a position is its number in C order.
  private func file(_ shape: Shape, isFortran: Bool, isBig: Bool, _ name: String) throws -> NpyFile
  {
    let count = shape.reduce(1, *)
    let axes = shape.axes
    let elements = (0..<count).map { number -> UInt32 in
      guard isFortran else { return UInt32(number) }
      var (rest, position) = (number, [Int]())
      for length in axes {
        position.append(rest % length)
        rest /= length
      }
      return UInt32(zip(position, axes).reduce(0) { $0 * $1.1 + $1.0 })
    }
    let header = NpyHeader(
      shape: shape, type: NumPyType(.uint32, byteOrder: isBig ? .big : .little),
      isFortranOrder: isFortran)
    var bytes = try header.encoded()
    for element in elements {
      withUnsafeBytes(of: isBig ? element.bigEndian : element.littleEndian) {
        bytes.append(contentsOf: $0)
      }
    }
    return try NpyFile(directory.write(bytes, to: name))
  }

  private func numbers(_ shape: Shape) -> [UInt32] { (0..<UInt32(shape.reduce(1, *))).map { $0 } }

  @Test func everyPlanOfEveryOrder() throws {
    var random = SystemRandomNumberGenerator()
    for round in 0..<60 {
      let rank = Int.random(in: 1...4, using: &random)
      let shape = Shape((0..<rank).map { _ in Int.random(in: 1...17, using: &random) })
      let chunk = Shape(shape.map { Int.random(in: 1...$0, using: &random) })
      let buffer = Shape(
        zip(shape, chunk).map { length, step in
          let most = length / step
          let count = Int.random(in: 1...Swift.max(1, most), using: &random)
          return Bool.random(using: &random) ? length : Swift.min(length, count * step)
        })
      let source = try file(
        shape, isFortran: round % 2 == 0, isBig: round % 3 == 0, "\(round).npy")
      let iterator = try GenericDataChunkIterator(source, bufferShape: buffer, chunkShape: chunk)
      let note = "\(shape), chunks \(chunk), buffers \(buffer), round \(round)"
      for memory in [nil, iterator.plan.bufferByteCount] {
        var options = WriteOptions(memoryByteCount: memory)
        options.pieceByteCount = Int.random(in: 1...200, using: &random)
        let dataset = try MemoryStore().write(iterator, to: "x", options: options)
        #expect(try dataset.read(UInt32.self).elements == numbers(shape), "\(note)")
      }
      let other = Shape(shape.map { Int.random(in: 1...$0, using: &random) })
      let recut = try MemoryStore().write(
        iterator, to: "x", options: WriteOptions(chunkShape: other))
      #expect(try recut.read(UInt32.self).elements == numbers(shape), "\(note) in \(other)")
      var found = [UInt32](repeating: .max, count: numbers(shape).count)
      while let part = try iterator.next() {
        let elements = try part.elements(as: UInt32.self)
        for (position, element) in zip(positions(part.shape), elements) {
          let place = zip(zip(position, part.selection.origin).map(+), shape)
            .reduce(0) { $0 * $1.1 + $1.0 }
          found[place] = element
        }
      }
      #expect(found == numbers(shape), "\(note)")
    }
  }

  @Test func appendsBeginInTheMiddleOfChunks() throws {
    for isFortran in [false, true] {
      let source = try file([23, 7], isFortran: isFortran, isBig: false, "a.npy")
      let store = MemoryStore()
      let first = try GenericDataChunkIterator(source, chunkShape: [4, 3])
      try store.write(first, to: "x", options: WriteOptions(maximumShape: [nil, 7]))
      try store.append(source, to: "x")
      let found = try store.dataset("x").read(UInt32.self).elements
      #expect(found == numbers([23, 7]) + numbers([23, 7]))
    }
  }

  /// Runs that are read one by one, gaps that are read over, and whole stretches.
  @Test func boxesOfWideArrays() throws {
    let shape: Shape = [600, 3000]
    for isFortran in [false, true] {
      let source = try file(shape, isFortran: isFortran, isBig: isFortran, "w.npy")
      for box in [
        Selection([3..<597, 10..<2990]), Selection([0..<600, 7..<12]),
        Selection([5..<7, 0..<3000]),
        Selection([0..<600, 100..<900]), Selection([17..<18, 29..<30]), Selection([4..<4, 0..<1]),
        Selection(all: shape),
      ] {
        let expected = box.bounds[0].flatMap { row in
          box.bounds[1].map { UInt32(row * 3000 + $0) }
        }
        let found = try #require(try elements(source, box, copies: true))
        let values = found.withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) }
        #expect(values == expected, "\(box)")
      }
    }
  }
}
