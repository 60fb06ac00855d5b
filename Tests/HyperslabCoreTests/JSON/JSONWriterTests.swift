import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct JSONWriterTests {
  static func random(_ generator: inout SeededGenerator, depth: Int) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 9 : 7), using: &generator) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &generator))
    case 2:
      return .integer(
        Int(truncatingIfNeeded: generator.next() >> UInt64.random(in: 0..<64, using: &generator)))
    case 3: return .unsigned(UInt64.random(in: 1 << 63...UInt64.max, using: &generator))
    case 4, 5:
      let value = Double(bitPattern: generator.next())
      return .double(value.isFinite ? value : -0.0)
    case 6: return .string(string(&generator))
    case 7:
      let count = Int.random(in: 0...4, using: &generator)
      return .array((0..<count).map { _ in random(&generator, depth: depth - 1) })
    default:
      var object = JSONObject()
      for _ in 0..<Int.random(in: 0...4, using: &generator) {
        object[string(&generator)] = random(&generator, depth: depth - 1)
      }
      return .object(object)
    }
  }

  static func string(_ generator: inout SeededGenerator) -> String {
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...6, using: &generator) {
      let limits: [UInt32] = [0x80, 0x80, 0x800, 0x1_0000, 0x11_0000]
      let limit = limits.randomElement(using: &generator) ?? 0x80
      let value = UInt32.random(in: 0..<limit, using: &generator)
      if let scalar = Unicode.Scalar(value) { text.append(scalar) }
    }
    return String(text)
  }

  @Test func whatIsWrittenReadsBackTheSame() throws {
    var generator = SeededGenerator("json")
    for _ in 0..<3000 {
      let value = Self.random(&generator, depth: 4)
      for pretty in [false, true] {
        let text = value.text(pretty: pretty)
        let read = try JSONParser.parse(text.utf8)
        #expect(read == value)
        // Equality forgets order, the text does not.
        #expect(read.text(pretty: pretty) == text)
      }
    }
  }

  @Test func doublesKeepTheirBits() throws {
    for bits: UInt64 in [0, 1, 1 << 63, 0x3FB9_9999_9999_999A, 0x7FEF_FFFF_FFFF_FFFF, 0x0010 << 48]
    {
      let text = JSONValue.double(Double(bitPattern: bits)).text()
      #expect(try JSONParser.parse(text.utf8).number?.bitPattern == bits)
    }
  }

  @Test func numbersBeyondJSONAreSpelledAsZarrDoes() {
    let values: JSONValue = [.double(.nan), .double(.infinity), .double(-.infinity)]
    #expect(values.text() == #"["NaN", "Infinity", "-Infinity"]"#)
  }

  @Test func layoutOfADocument() {
    let value: JSONValue = [
      "a": 1, "b": [1, [2, 3]], "c": ["d": [["e": nil]]], "f": [:], "g": "\u{7F}\u{1}",
    ]
    #expect(
      value.text()
        == #"{"a": 1, "b": [1, [2, 3]], "c": {"d": [{"e": null}]}, "f": {}, "g": "\u007f\u0001"}"#)
    #expect(
      value.text(pretty: true) == """
        {
          "a": 1,
          "b": [1, [2, 3]],
          "c": {
            "d": [
              {
                "e": null
              }
            ]
          },
          "f": {},
          "g": "\\u007f\\u0001"
        }
        """)
  }

  @Test func objectsKeepTheOrderOfTheirMembers() {
    var object: JSONObject = ["z": 1, "a": 2, "m": 3]
    #expect(object.keys == ["z", "a", "m"])
    object["a"] = 9
    #expect(object.keys == ["z", "a", "m"])
    object["z"] = nil
    object["z"] = 1
    #expect(object.keys == ["a", "m", "z"])
    object["none"] = nil
    #expect(object.count == 3)
    #expect(object == ["m": 3, "z": 1, "a": 9])
    #expect(object.map(\.key) == ["a", "m", "z"])
  }
}
