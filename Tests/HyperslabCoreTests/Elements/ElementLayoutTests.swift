import ComplexModule
public import HyperslabCore
import Testing

/// What client code may call an element although its values are not laid out as it says. Classes, and
/// structures with references, do not compile: `Bits` is to be `BitwiseCopyable`.
private enum Liar {
  struct Pair: ArrayElement {
    var a: Int64
    var b: Int64
    static var dataType: DataType { .int64 }
  }
  struct Halves: ArrayElement {
    var a: Int32
    var b: Int32
    static var dataType: DataType { .int64 }
  }
  struct Gap: ArrayElement {
    var a: Int8
    var b: Int32
    static var dataType: DataType { .int64 }
  }
  struct ComplexGap: ArrayElement {
    var a: Int8
    var b: Double
    static var dataType: DataType { .complex128 }
  }
  struct Narrow: ArrayElement {
    var a: Int16
    static var dataType: DataType { .int32 }
  }
  struct Empty: ArrayElement { static var dataType: DataType { .uint8 } }
  struct Reference: ArrayElement {
    typealias Bits = Int64
    var text: [Int] = []
    static var dataType: DataType { .int64 }
  }
  struct Address: ArrayElement {
    nonisolated(unsafe) var pointer: UnsafeRawPointer
    static var dataType: DataType { .uint64 }
  }
  struct Kind: ArrayElement {
    nonisolated(unsafe) var type: Any.Type
    static var dataType: DataType { .int64 }
  }
  struct Flags: ArrayElement {
    var a: InlineArray<8, Bool>
    static var dataType: DataType { .int64 }
  }
  enum Colour: UInt8, ArrayElement {
    case red, green, blue
    static var dataType: DataType { .uint8 }
  }
  enum Single: ArrayElement {
    case only
    static var dataType: DataType { .bool }
  }
  struct Letter: ArrayElement {
    var letter: Unicode.Scalar
    static var dataType: DataType { .uint32 }
  }
  struct Place: ArrayElement {
    nonisolated(unsafe) var place: UnsafeRawPointer?
    static var dataType: DataType { .int64 }
  }
  /// Describes itself as a number.
  struct Actor: ArrayElement, CustomReflectable {
    nonisolated(unsafe) var place: UnsafeRawPointer?
    var customMirror: Mirror { Mirror(self, children: ["number": 1], displayStyle: .struct) }
    static var dataType: DataType { .int64 }
  }
  enum Answer: ArrayElement {
    case no, yes, maybe
    static var dataType: DataType { .bool }
  }
  struct Byte: ArrayElement {
    var isSet: Bool
    static var dataType: DataType { .uint8 }
  }
  enum Payload: ArrayElement {
    case none
    case some(Int32)
    static var dataType: DataType { .int64 }
  }
}

extension Int128: ArrayElement {
  /// What it says it is.
  public static var dataType: DataType { .int64 }
}
extension SIMD2: ArrayElement where Scalar == Double {
  /// Itself.
  public typealias Bits = Self
  /// What it says it is.
  public static var dataType: DataType { .complex128 }
}
/// What `nil` may be put beside.
public protocol Claimed: BitwiseCopyable, Sendable {
  /// What the optional says it is.
  static var claim: DataType { get }
}
extension Bool: Claimed {
  /// Of the same size.
  public static var claim: DataType { .uint8 }
}
extension Never: Claimed {
  /// Of the same size.
  public static var claim: DataType { .bool }
}
extension Optional: ArrayElement where Wrapped: Claimed {
  /// Itself.
  public typealias Bits = Self
  /// What it says it is.
  public static var dataType: DataType { Wrapped.claim }
}
extension Unicode.Scalar: ArrayElement {
  /// What it says it is.
  public static var dataType: DataType { .uint32 }
}

/// What is laid out as it says.
private enum Honest {
  struct Volts: ArrayElement, Equatable {
    var value: Int16
    static var dataType: DataType { .int16 }
  }
  struct Polar: ArrayElement {
    var length: Float
    var angle: Float
    static var dataType: DataType { .complex64 }
  }
  struct Switch: ArrayElement, Equatable {
    var isOn: Bool
    static var dataType: DataType { .bool }
  }
  struct Count: ArrayElement {
    private var count: UInt = 0
    static var dataType: DataType { .uint64 }
  }
  struct Nested: ArrayElement {
    private var count = Count()
    static var dataType: DataType { .uint64 }
  }
}

/// Answers otherwise each time.
private struct Fickle: ArrayElement {
  nonisolated(unsafe) static var count = 0
  var value: Int8
  static var dataType: DataType {
    count += 1
    return count % 2 == 1 ? .int8 : .complex128
  }
}

@Suite struct ElementLayoutTests {
  private func dataset(_ type: DataType) throws -> MemoryDataset {
    let description = DatasetDescription(shape: [4], chunkShape: [3], dataType: type)
    return try MemoryStore().createDataset(NodePath("x"), description)
  }

  private func refuses<Element: ArrayElement>(_ element: Element.Type, _ value: Element?) throws {
    let dataset = try dataset(Element.dataType)
    var refusals = [
      #expect(throws: HyperslabError.self, "\(element)") { try DataType(of: element) },
      #expect(throws: HyperslabError.self, "\(element)") {
        try dataset.read(element, missing: .fill)
      },
      #expect(throws: HyperslabError.self, "\(element)") {
        try NDArray<Element>(shape: [0], elements: [])
      },
    ]
    if let value {
      refusals.append(#expect(throws: HyperslabError.self, "\(element)") { try FillValue(value) })
    }
    for refusal in refusals {
      #expect(refusal?.code == .typeMismatch, "\(element)")
      #expect(refusal?.description.contains("\(element)") ?? false)
      #expect(refusal?.expected != nil && refusal?.found != nil)
    }
  }

  @Test func typesThatAreNotLaidOutAsTheySayAreRefused() throws {
    try refuses(Liar.Pair.self, Liar.Pair(a: 1, b: 2))
    try refuses(Liar.Halves.self, Liar.Halves(a: 1, b: 2))
    try refuses(Liar.Gap.self, Liar.Gap(a: 1, b: 2))
    try refuses(Liar.ComplexGap.self, Liar.ComplexGap(a: 1, b: 2))
    try refuses(Liar.Narrow.self, Liar.Narrow(a: 1))
    try refuses(Liar.Empty.self, Liar.Empty())
    try refuses(Liar.Reference.self, Liar.Reference())
    try refuses(Liar.Address.self, nil)
    try refuses(Liar.Kind.self, Liar.Kind(type: Int.self))
    try refuses(Liar.Flags.self, Liar.Flags(a: InlineArray(repeating: true)))
    try refuses(Liar.Colour.self, .blue)
    try refuses(Liar.Single.self, .only)
    try refuses(Liar.Payload.self, .some(3))
    try refuses(Int128.self, 7)
    try refuses(SIMD2<Double>.self, [1, 2])
    try refuses(Bool?.self, .some(true))
    try refuses(Never?.self, .some(nil))
    try refuses(Unicode.Scalar.self, "x")
    try refuses(Liar.Letter.self, Liar.Letter(letter: "x"))
    try refuses(Liar.Place.self, Liar.Place(place: nil))
    try refuses(Liar.Actor.self, Liar.Actor(place: nil))
    try refuses(Liar.Answer.self, .yes)
    try refuses(Liar.Byte.self, Liar.Byte(isSet: true))
    try refuses(Complex<Float16>.self, Complex(1, 2))
  }

  @Test func typesThatAreLaidOutAsTheySayAreTaken() throws {
    #expect(try DataType(of: Honest.Volts.self) == .int16)
    #expect(try DataType(of: Honest.Polar.self) == .complex64)
    #expect(try DataType(of: Honest.Switch.self) == .bool)
    #expect(try DataType(of: Honest.Count.self) == .uint64)
    #expect(try DataType(of: Honest.Nested.self) == .uint64)
    #expect(try DataType(of: Complex<Float>.self) == .complex64)
    #expect(try DataType(of: Complex<Double>.self) == .complex128)
    #expect(try DataType(of: Int.self) == .int64)
    #expect(try FillValue(Honest.Volts(value: -2)).bytes == [0xFE, 0xFF])
    #expect(
      try FillValue(Complex<Float>(1, -1)).bytes
        == FillValue(Float(1)).bytes + FillValue(Float(-1)).bytes)
    let dataset = try dataset(.int16)
    let volts = try dataset.read(Honest.Volts.self, missing: .fill)
    #expect(volts.elements == Array(repeating: Honest.Volts(value: 0), count: 4))
  }

  @Test func aTypeIsAskedOnce() throws {
    Fickle.count = 0
    #expect(try DataType(of: Fickle.self) == .int8)
    Fickle.count = 0
    #expect(try dataset(.int8).read(Fickle.self, missing: .fill).elements.count == 4)
  }

  @Test func anyByteOfBoolReadsAsOneOrZero() throws {
    let store = MemoryStore()
    let dataset = try store.createDataset(
      NodePath("x"), DatasetDescription(shape: [4], chunkShape: [4], dataType: .bool))
    let bytes: [UInt8] = [0, 1, 2, 255]
    try bytes.withUnsafeBytes { memory in
      try dataset.writeChunk(
        try dataset.grid.index(ofNumber: 0), from: memory.bytes,
        layout: StridedLayout(shape: [4], byteStrides: [1]))
    }
    #expect(try dataset.read(Bool.self).elements == [false, true, true, true])
    #expect(try dataset.read(Honest.Switch.self).elements.map(\.isOn) == [false, true, true, true])
    let two = #expect(throws: HyperslabError.self) { try FillValue(bytes: [2], dataType: .bool) }
    #expect(two?.code == .invalidValue)
  }

  /// A store in safe code that does not fill what it is given.
  private struct LazyDataset: ChunkedDataset {
    let path = NodePath.root
    let description = DatasetDescription(shape: [1000], chunkShape: [1000], dataType: .int64)
    let grid: ChunkGrid
    func state(of chunk: ChunkIndex) -> ChunkState { .fill }
    func writeChunk(_ chunk: ChunkIndex, from bytes: RawSpan, layout: StridedLayout) {}
    func readChunk(
      _ chunk: ChunkIndex, region: StridedSelection, into bytes: inout MutableRawSpan,
      layout: StridedLayout
    ) {}
  }

  @Test func whatAStoreLeavesUnwrittenIsNobodysMemory() throws {
    let dataset = LazyDataset(grid: try ChunkGrid(arrayShape: [1000], chunkShape: [1000]))
    for _ in 0..<4 {
      // Memory that was used before is what an allocation gets again.
      let used = (0..<1000).map { _ in Int64.random(in: 1...9) }
      #expect(used.count == 1000)
      #expect(try dataset.read(Int64.self).elements.allSatisfy { $0 == 0 })
      #expect(try dataset.readBytes().bytes.allSatisfy { $0 == 0 })
    }
  }
}
