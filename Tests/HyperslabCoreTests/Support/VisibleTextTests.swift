import HyperslabCore
import Testing

/// Nothing that a terminal would obey comes out of a text that is shown.
@Suite struct VisibleTextTests {
  /// C0, DEL, C1, and everything that turns text around or breaks its lines.
  static let acting: [UInt32] =
    Array(0..<0x20) + Array(0x7F...0x9F) + [0x061C, 0x200E, 0x200F, 0x2028, 0x2029]
    + Array(0x202A...0x202E) + Array(0x2066...0x2069)

  @Test func everyActingCharacterIsEscaped() throws {
    for value in Self.acting {
      let scalar = try #require(Unicode.Scalar(value))
      let text = "a\(String(Character(scalar)))b"
      for shown in [text.visible, JSONValue.string(text).text()] {
        #expect(
          shown.unicodeScalars.allSatisfy { !Self.acting.contains($0.value) }, "U+\(value)")
        #expect(shown.contains("\\"))
      }
      #expect(try JSONParser.parse(JSONValue.string(text).text().utf8) == .string(text))
      #expect(JSONValue.object([text: 1]).text().unicodeScalars.allSatisfy { $0.isASCII })
    }
  }

  @Test func everythingElseStays() {
    // Accents, emoji joined by a zero-width joiner, Persian with its non-joiner, a backslash.
    for text in ["µV", "e\u{301}", "👩\u{200D}🔬", "می\u{200C}خواهم", "\\mu", "a b", ""] {
      #expect(text.visible == text)
      #expect(text.visible.visible == text)
    }
    #expect("a\nb\tc\u{1B}]0;x\u{7}".visible == "a\\nb\\tc\\u001b]0;x\\u0007")
    #expect("a\n\u{9B}31m".visible(keeping: ["\n"]) == "a\n\\u009b31m")
  }
}
