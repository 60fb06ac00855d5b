import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct JSONParserTests {
  func parse(_ text: String, depthLimit: Int = 64) throws -> JSONValue {
    try JSONParser.parse(text.utf8, depthLimit: depthLimit)
  }

  static let documents: [(text: String, value: JSONValue)] = [
    ("null", JSONValue.null), ("true", true), ("false", false), ("0", 0), ("-1", -1),
    ("-0", .double(-0.0)), ("1.0", .double(1)), ("1e2", .double(100)), ("1E+2", .double(100)),
    ("25e-1", .double(2.5)), ("-0.0", .double(-0.0)), ("\"\"", ""), ("[]", []), ("{}", [:]),
    ("[1, [2, []], {}]", [1, [2, []], [:]]), (" \t\r\n1 \n", 1),
    ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
    ("9223372036854775808", .unsigned(1 << 63)), ("18446744073709551615", .unsigned(.max)),
    ("999999999999999999", 999_999_999_999_999_999),
    ("1000000000000000000", 1_000_000_000_000_000_000),
    ("1.7976931348623157e308", .double(.greatestFiniteMagnitude)),
    ("5e-324", .double(.leastNonzeroMagnitude)),
    ("1e-400", .double(0)), ("{\"b\": 1, \"a\": {\"b\": 2}}", ["a": ["b": 2], "b": 1]),
    (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
    (#""\u00e9\u0041\uFFFF\u0000""#, "éA\u{FFFF}\0"),
    (#""\ud83d\ude00 \uD834\uDD1E""#, "😀 𝄞"), ("\"é日😀\u{2028}\u{7F}\"", "é日😀\u{2028}\u{7F}"),
  ]

  @Test(arguments: documents)
  func reads(_ text: String, _ value: JSONValue) throws {
    let parsed = try parse(text)
    #expect(parsed == value)
    if case .double(let number) = value {
      #expect(parsed.number?.bitPattern == number.bitPattern)
    }
  }

  @Test(arguments: [
    "", " ", "nul", "nulll", "True", "01", "-01", "00", "-", "+1", "1.", ".5", "1e", "1e+", "1.e3",
    "0x10",
    "1_000", "NaN", "Infinity", "-Infinity", "1e309", "-1e999", "18446744073709551616",
    "-9223372036854775809", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
    "\"\\u+123\"",
    "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800x\"", "\"\\ud800\\n\"", "\"\n\"",
    "\"\u{1F}\"", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "}", "{\"a\"", "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}",
    "{\"a\":1,\"a\":1}",
    "{\"a\":1,\"\\u0061\":2}", "1 2", "null null", "[]]", "{}x", "'a'", "// x\n1", "\u{FEFF}1",
    "\u{A0}1",
  ])
  func refuses(_ text: String) {
    let error = #expect(throws: HyperslabError.self) { try parse(text) }
    #expect(error?.code == .invalidJSON)
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0x80], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
      [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFF], [0xE0, 0x80, 0xAF],
    ] as [[UInt8]])
  func refusesBytesThatAreNotUTF8(_ bytes: [UInt8]) {
    let quote = UInt8(ascii: "\"")
    #expect(throws: HyperslabError.self) { try JSONParser.parse([quote] + bytes + [quote]) }
    #expect(throws: HyperslabError.self) {
      try JSONParser.parse(Array("{\"".utf8) + bytes + Array("\":1}".utf8))
    }
    #expect(throws: HyperslabError.self) { try JSONParser.parse(bytes) }
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try parse(nested(9), depthLimit: 8)
    #expect(throws: HyperslabError.self) { try parse(nested(10), depthLimit: 8) }
    #expect(throws: HyperslabError.self) { try parse(String(repeating: "[", count: 100_000)) }
    #expect(throws: HyperslabError.self) { try parse(String(repeating: "{\"a\":", count: 100_000)) }
    let objects = String(repeating: "{\"a\":", count: 9) + "1" + String(repeating: "}", count: 9)
    #expect(throws: HyperslabError.self) { try parse(objects, depthLimit: 8) }
  }

  @Test func noPrefixOfADocumentIsADocument() throws {
    let text =
      #"{"a": [1, -2.5e3, "x\u00e9\n😀", true, null, {"b": []}], "c": 18446744073709551615}"#
    let bytes = Array(text.utf8)
    _ = try JSONParser.parse(bytes)
    for count in 0..<bytes.count {
      #expect(throws: HyperslabError.self) { try JSONParser.parse(bytes.prefix(count)) }
    }
  }

  @Test func noDamagedByteTrapsAndWhatStillReadsRoundTrips() throws {
    let text =
      #"{"a": [1, -2.5e3, "x\u00e9\n😀", true, null, {"b": []}], "c": 18446744073709551615}"#
    let bytes = Array(text.utf8)
    for index in bytes.indices {
      for value in UInt8.min...UInt8.max {
        var damaged = bytes
        damaged[index] = value
        guard let read = try? JSONParser.parse(damaged) else { continue }
        #expect(try parse(read.text()) == read)
      }
    }
  }

  @Test func errorsNameTheByte() {
    let error = #expect(throws: HyperslabError.self) { try parse("[1, x]") }
    #expect(error?.what.contains("byte 4") == true)
  }
}
