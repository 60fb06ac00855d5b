import HyperslabCore
import HyperslabTestSupport
import Testing

/// Selections as they are typed: positions or an error, and the positions that NumPy would pick.
@Suite struct SelectionFuzzTests {
  private static let shapes: [Shape] = [
    [], [0], [1], [10], [7, 5], [3, 0, 4], [2, 3, 4, 5], [1 << 40, 3], [1 << 62 - 1],
    [1 << 62 - 1, 1 << 62 - 1], [65536, 65536],
  ]

  private static func feed(_ bytes: [UInt8], _ shape: Shape) throws {
    let terms = try AxisSlice.parse(String(decoding: bytes, as: UTF8.self))
    let slice = try ResolvedSlice(terms, in: shape)
    try demand(slice.region.isInside(shape), "\(slice.region) is not inside \(shape)")
    _ = slice.resultShape.elementCount
    let layout = slice.layout(elementByteCount: 8)
    if let layout { _ = layout.byteRange(elementByteCount: 8) }
    _ = slice.region.boundingBox.shape
    _ = "\(slice.region)"
    if let grid = try? ChunkGrid(arrayShape: shape, chunkShape: Shape(shape.map { _ in 3 })),
      !slice.region.isEmpty
    {
      let chunks = grid.chunks(touching: slice.region.boundingBox)
      for chunk in chunks.prefix(3) { _ = ChunkPart(chunk, of: slice.region, in: grid) }
    }
    guard shape.allSatisfy({ $0 < 100 }),
      terms.allSatisfy({ term in
        guard case .range(let start, let stop, let step) = term else { return true }
        return [start ?? 0, stop ?? 0, step].allSatisfy { $0 > -1000 && $0 < 1000 }
      })
    else { return }
    guard let model = NaiveSlicing.resolve(terms, in: shape) else {
      throw FuzzFailure("\(terms) is resolved in \(shape), where NumPy refuses")
    }
    try demand(
      slice.resultShape == model.resultShape, "\(slice.resultShape), not \(model.resultShape)")
    for (axis, positions) in model.positions.enumerated() {
      let picked = slice.region.axes[axis]
      var found = (0..<picked.count).map { picked.start + $0 * picked.step }
      if slice.reversedAxes[axis] { found.reverse() }
      try demand(found == positions, "axis \(axis) picks \(found), not \(positions)")
    }
  }

  private static func sample(_ shape: Shape, _ generator: inout SeededGenerator) -> String {
    var shapes = ShapeGenerator(generator)
    let terms = shapes.terms(in: Shape(shape.map { Swift.min($0, 1 << 40) }))
    generator = shapes.generator
    let words = terms.map { term -> String in
      switch term {
      case .ellipsis: return "..."
      case .position(let position): return "\(position)"
      case .range(let start, let stop, let step):
        let bounds = "\(start.map(String.init) ?? ""):\(stop.map(String.init) ?? "")"
        return step == 1 ? bounds : "\(bounds):\(step)"
      }
    }
    let text = words.joined(separator: generator.chance(1, in: 3) ? " , " : ",")
    return generator.chance(1, in: 4) ? "[\(text)]" : text
  }

  @Test func selections() {
    Fuzzer(target: "selection", defaultCount: 20_000).run { generator, input in
      let shape = Self.shapes.randomElement(using: &generator) ?? []
      let text = Array(Self.sample(shape, &generator).utf8)
      let other = Array("[-1:,...,::-9223372036854775808,٣:５ \u{301},,:::]\u{2003}+-0".utf8)
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: input = text
      case 1, 2: input = Mutator.text(text, using: &generator)
      default: input = Mutator.bytes(text, other: other, using: &generator)
      }
      try Self.feed(input, shape)
    }
  }

  @Test func keptSelections() throws {
    let inputs = try Corpus.inputs("selection")
    #expect(!inputs.isEmpty)
    for (name, bytes) in inputs {
      for shape in Self.shapes {
        do { try Self.feed(bytes, shape) } catch {
          #expect(error is HyperslabError, "\(name): \(error)")
        }
      }
    }
  }
}
