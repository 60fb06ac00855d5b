import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct SliceParserTests {
  @Test(arguments: [
    ("", [AxisSlice]()), ("[]", []), ("  ", []), (":", [.all]), ("5", [.position(5)]),
    ("-3", [.position(-3)]), ("...", [.ellipsis]), ("::", [.all]),
    ("0:10", [.range(start: 0, stop: 10, step: 1)]),
    (":-1", [.range(start: nil, stop: -1, step: 1)]),
    ("::-1", [.range(start: nil, stop: nil, step: -1)]),
    ("1:2:", [.range(start: 1, stop: 2, step: 1)]),
    ("[1, ...,\t2:3]", [.position(1), .ellipsis, .range(start: 2, stop: 3, step: 1)]),
    ("+4", [.position(4)]), ("::0", [.range(start: nil, stop: nil, step: 0)]),
  ])
  func reads(_ text: String, _ terms: [AxisSlice]) throws {
    #expect(try AxisSlice.parse(text) == terms)
  }

  @Test(arguments: [
    ",", "1,", ",1", "a", "1:b", "1:2:3:4", "....", "..", "1..2", "0x10", "1e3", "1.0", "[1", "1]",
    "[[1]]",
    "9223372036854775808", "-9223372036854775809", "--1", "-", "1:-", "\u{661}", "1;2", "1-2",
    "None",
  ])
  func refuses(_ text: String) {
    let error = #expect(throws: HyperslabError.self) { try AxisSlice.parse(text) }
    #expect(error?.code == .invalidValue)
  }

  @Test func whatIsWrittenReadsBack() throws {
    var shapes = ShapeGenerator(SeededGenerator("parser"))
    func text(_ term: AxisSlice) -> String {
      switch term {
      case .ellipsis: "..."
      case .position(let position): "\(position)"
      case .range(let start, let stop, let step):
        "\(start.map(String.init) ?? ""):\(stop.map(String.init) ?? ""):\(step)"
      }
    }
    for _ in 0..<500 {
      let terms = shapes.terms(in: shapes.arrayShape())
      #expect(try AxisSlice.parse(terms.map(text).joined(separator: ",")) == terms)
    }
  }
}
