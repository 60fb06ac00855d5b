import HyperslabCore
import HyperslabIteration
import Testing

private struct Wide: ArrayElement {
  var a: Int64 = 1
  var b: Int64 = 2
  static var dataType: DataType { .int64 }
}

private enum Colour: UInt8, ArrayElement {
  case red, green
  static var dataType: DataType { .uint8 }
}

private struct ArraySource<Element: ArrayElement>: ArrayDataChunkSource {
  let shape: Shape
  let value: Element
  func data(_ selection: Selection) -> [Element] {
    Array(repeating: value, count: selection.shape.elementCount ?? 0)
  }
}

@Suite("Element types that are not what they say")
struct ElementMisuseTests {
  private func refuses<Element: ArrayElement>(_ value: Element) throws {
    let source = ArraySource(shape: [4, 2], value: value)
    let iterator = try GenericDataChunkIterator(source)
    let bytes = try GenericDataChunkIterator(
      BytesSource(shape: [4, 2], type: Element.dataType))
    let chunk = try #require(try bytes.next())
    let refusals = [
      #expect(throws: HyperslabError.self) {
        try InMemorySource(elements: Array(repeating: value, count: 8), shape: [4, 2])
      },
      #expect(throws: HyperslabError.self) {
        try DataChunk(selection: Selection([0..<2]), elements: [value, value])
      },
      #expect(throws: HyperslabError.self) { try chunk.elements(as: Element.self) },
      #expect(throws: HyperslabError.self) { try iterator.next() },
      #expect(throws: HyperslabError.self) { try iterator.forEachBuffer { _, _ in } },
      #expect(throws: HyperslabError.self) { try MemoryStore().write(iterator, to: "x") },
    ]
    for refusal in refusals {
      #expect(refusal?.code == .typeMismatch)
      #expect(refusal?.description.contains("\(Element.self)") ?? false)
    }
  }

  @Test func everyEntryRefusesThem() throws {
    try refuses(Wide())
    try refuses(Colour.red)
  }

  @Test func countsThatAreWrongAreRefused() throws {
    let short = #expect(throws: HyperslabError.self) {
      try InMemorySource(elements: [Int16](repeating: 1, count: 7), shape: [4, 2])
    }
    #expect(short?.code == .sizeMismatch)
    let bytes = [UInt8](repeating: 1, count: 15)
    bytes.withUnsafeBytes { memory in
      for layout in [
        nil, StridedLayout(shape: [4, 2], byteStrides: [4, 2]),
        StridedLayout(shape: [4, 2], byteOffset: -2, byteStrides: [4, 2]),
        StridedLayout(shape: [4, 2], byteStrides: [4]),
        StridedLayout(shape: [4, 2], byteStrides: [.max, 2]),
      ] {
        let refusal = #expect(throws: HyperslabError.self) {
          try RawMemorySource(bytes: memory, shape: [4, 2], dataType: .int16, layout: layout)
        }
        #expect(refusal.map { [.sizeMismatch, .invalidShape].contains($0.code) } ?? false)
      }
    }
  }
}
