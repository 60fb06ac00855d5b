import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct GeneratorTests {
  @Test func theSequenceIsSplitMix64() {
    // First outputs of the reference implementation for the seed 1234567.
    var generator = SeededGenerator(seed: 1_234_567)
    #expect(generator.next() == 6_457_827_717_110_365_317)
    #expect(generator.next() == 3_203_168_211_198_807_973)
    #expect(generator.next() == 9_817_491_932_198_370_423)
  }

  @Test func labelsAndIndicesGiveOtherSequencesThatRepeat() {
    var a = SeededGenerator("a", 1)
    var again = SeededGenerator("a", 1)
    var b = SeededGenerator("b", 1)
    var other = SeededGenerator("a", 2)
    let first = a.next()
    #expect(first == again.next())
    #expect(first != b.next())
    #expect(first != other.next())
  }

  @Test func shapesOfEveryKindComeUp() throws {
    var shapes = ShapeGenerator(SeededGenerator("kinds"))
    var ranks: Set<Int> = []
    var empty = 0
    var ragged = 0
    for _ in 0..<500 {
      let shape = shapes.arrayShape()
      let chunk = shapes.chunkShape(for: shape)
      ranks.insert(shape.rank)
      empty += shape.isEmptyArray ? 1 : 0
      ragged += zip(shape, chunk).contains { $0 % $1 != 0 } ? 1 : 0
      let count = try #require(shape.elementCount)
      #expect(count <= shapes.elementLimit)
    }
    #expect(ranks == Set(0...6))
    #expect(empty > 10)
    #expect(ragged > 100)
  }

  @Test(arguments: DataType.allCases)
  func patternsAreOfTheirType(_ type: DataType) {
    var generator = SeededGenerator("pattern")
    let bytes = ElementPattern.bytes(count: 500, of: type, using: &generator)
    #expect(bytes.count == 500 * type.byteCount)
    if type == .bool { #expect(Set(bytes) == [0, 1]) }
  }
}
