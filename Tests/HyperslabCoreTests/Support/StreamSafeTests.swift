import HyperslabCore
import Testing

/// Texts with heaps of combining marks, which take time with the square of their number to compare.
@Suite struct StreamSafeTests {
  @Test(arguments: [
    ("", true), ("plain", true), ("日本語 é", true),
    ("a" + String(repeating: "\u{301}", count: 30), true),
    ("a" + String(repeating: "\u{301}", count: 31), false),
    (String(repeating: "a" + String(repeating: "\u{316}\u{301}", count: 15), count: 100), true),
    ("\u{F71}" + String(repeating: "\u{F72}", count: 30), false),
  ])
  func marks(text: String, isSafe: Bool) throws {
    #expect(text.isStreamSafe == isSafe)
    let value = JSONValue.string(text)
    let read = try? JSONParser.parse(value.bytes())
    #expect(read == (isSafe ? value : Optional.none))
    let escaped = text.unicodeScalars.map {
      $0.value < 0x10000 && !$0.isASCII
        ? "\\u" + String(0x10000 + $0.value, radix: 16).dropFirst() : String($0)
    }
    #expect(
      (try? JSONParser.parse(Array("{\"\(escaped.joined())\": 1}".utf8))) != nil || !isSafe)
    #expect((try? JSONParser.parse(Array("{\"\(escaped.joined())\": 1}".utf8))) == nil || isSafe)
    if !text.isEmpty, text.utf8.count <= 255 {
      #expect((try? NodePath(text)) != nil || text.contains(" ") || !isSafe)
      #expect((try? NodePath(text)) == nil || isSafe)
    }
  }

  @Test func whatDoesNotReadBackIsNotWritten() throws {
    let marks = "a" + String(repeating: "\u{301}", count: 31)
    let store = MemoryStore()
    for attributes: JSONObject in [
      [marks: 1], ["a": .string(marks)], ["a": [["b": .string(marks)]]],
    ] {
      #expect(throws: HyperslabError.self) {
        try store.createGroup(NodePath("g"), attributes: attributes)
      }
    }
    var description = DatasetDescription(shape: [3], chunkShape: [3], dataType: .int8)
    description.unit = marks
    #expect(throws: HyperslabError.self) { _ = try description.validated() }
    description.unit = nil
    description.dimensionNames = [marks]
    #expect(throws: HyperslabError.self) { _ = try description.validated() }
  }
}
