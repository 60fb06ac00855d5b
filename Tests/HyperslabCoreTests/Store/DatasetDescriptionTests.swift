import HyperslabCore
import Testing

@Suite struct DatasetDescriptionTests {
  func code(_ change: (inout DatasetDescription) -> Void) -> HyperslabError.Code? {
    var description = DatasetDescription(shape: [6, 4], chunkShape: [4, 4], dataType: .int16)
    change(&description)
    do {
      _ = try description.validated()
      return nil
    } catch {
      return error.code
    }
  }

  @Test func sayingLittleIsEnough() throws {
    let description = DatasetDescription(shape: [6, 4], chunkShape: [4, 4], dataType: .int16)
    #expect(description.maximumShape == [6, 4])
    #expect(description.fillValue == FillValue(Int16(0)))
    #expect(try description.validated().gridShape == [2, 1])
  }

  @Test func legalOddities() {
    #expect(code { $0.chunkShape = [100, 100] } == nil)
    #expect(code { $0.maximumShape = [nil, 4] } == nil)
    #expect(code { $0.dimensionNames = [nil, nil] } == nil)
    #expect(code { $0.dimensionNames = ["", "x"] } == nil)
    #expect(code { $0 = DatasetDescription(shape: [], chunkShape: [], dataType: .bool) } == nil)
    #expect(code { $0 = DatasetDescription(shape: [0], chunkShape: [1], dataType: .bool) } == nil)
    let axes = Shape(Array(repeating: 1, count: 32))
    #expect(code { $0 = DatasetDescription(shape: axes, chunkShape: axes, dataType: .int8) } == nil)
  }

  @Test func refusals() {
    #expect(code { $0.chunkShape = [4] } == .invalidShape)
    #expect(code { $0.chunkShape = [4, 0] } == .invalidShape)
    #expect(code { $0.chunkShape = [4, -1] } == .invalidShape)
    #expect(code { $0.shape = [6, -4] } == .invalidShape)
    #expect(code { $0.maximumShape = [5, 4] } == .invalidShape)
    #expect(code { $0.maximumShape = [6] } == .invalidShape)
    #expect(code { $0.fillValue = FillValue(UInt16(0)) } == .typeMismatch)
    #expect(code { $0.dimensionNames = ["x"] } == .invalidValue)
    #expect(code { $0.dimensionNames = ["x", "x"] } == .invalidValue)
    #expect(code { $0.compression.level = 0 } == .invalidValue)
    #expect(code { $0.compression.level = 13 } == .invalidValue)
    let axes = Shape(Array(repeating: 1, count: 33))
    #expect(
      code { $0 = DatasetDescription(shape: axes, chunkShape: axes, dataType: .int8) }
        == .invalidShape)
    let large: Shape = [1 << 32, 1 << 32]
    #expect(
      code { $0 = DatasetDescription(shape: large, chunkShape: [1, 1], dataType: .int8) }
        == .overflow)
    #expect(
      code { $0 = DatasetDescription(shape: large, chunkShape: large, dataType: .int8) }
        == .overflow)
    let wide: Shape = [1 << 60]
    #expect(
      code { $0 = DatasetDescription(shape: wide, chunkShape: wide, dataType: .int64) } == .overflow
    )
  }

  @Test func attributesMustReadBack() {
    func nested(_ depth: Int) -> JSONValue {
      (0..<depth).reduce(1) { value, _ in [value] }
    }
    #expect(code { $0.attributes = ["x": nested(64)] } == nil)
    #expect(code { $0.attributes = ["x": nested(65)] } == .invalidValue)
    #expect(code { $0.attributes = ["x": nested(10_000)] } == .invalidValue)
    #expect(code { $0.attributes = ["x": ["y": [.double(-.infinity)]]] } == .invalidValue)
  }
}
