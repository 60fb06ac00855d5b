/// A JSON value as it stands in a text that was checked; nothing is built of it before it is asked for.
///
/// A tree of values takes up to thirty times the text's memory.
package struct JSONText: Sendable {
  package let document: [UInt8]
  package let place: Range<Int>

  private init(_ document: [UInt8], _ place: Range<Int>) {
    self.document = document
    self.place = place
  }

  /// Checks a document.
  ///
  /// - Throws: `invalid_json` naming the byte where reading stopped.
  package init(checking document: [UInt8], depthLimit: Int) throws(HyperslabError) {
    var parser = JSONParser(document, 0..<document.count, depthLimit: depthLimit)
    parser.skipSpace()
    let start = parser.position
    try parser.skip(depth: 0)
    self.init(document, start..<parser.position)
    try parser.finish()
  }

  /// The value's bytes as they stand there.
  package var bytes: ArraySlice<UInt8> { document[place] }

  private var parser: JSONParser { JSONParser(document, place) }

  /// The value as a tree.
  package var value: JSONValue {
    var parser = parser
    return (try? parser.value(depth: 0)) ?? .null
  }

  package var isObject: Bool { bytes.first == UInt8(ascii: "{") }
  package var isArray: Bool { bytes.first == UInt8(ascii: "[") }
  package var isTrue: Bool { bytes.first == UInt8(ascii: "t") }
  package var isNull: Bool { bytes.first == UInt8(ascii: "n") }

  /// The value when it is a string.
  package var string: String? {
    bytes.first == UInt8(ascii: "\"") ? JSONParser.text(place, of: document) : nil
  }

  /// The value when it is an integer that fits.
  package var integer: Int? {
    switch bytes.first {
    case UInt8(ascii: "-")?, (UInt8(ascii: "0")...UInt8(ascii: "9"))?: value.integer
    default: nil
    }
  }

  /// Where a member's name and value stand.
  package typealias MemberPlace = (name: Range<Int>, value: Range<Int>)

  /// Where the members stand, in order; none for what is no object.
  package var memberPlaces: [MemberPlace] {
    guard isObject else { return [] }
    var result: [MemberPlace] = []
    var parser = parser
    try? parser.forEachMemberPlace { (parser, name) throws(HyperslabError) in
      parser.skipSpace()
      let start = parser.position
      parser.skipChecked()
      result.append((name, start..<parser.position))
    }
    return result
  }

  /// The members, in order; none for what is no object.
  package var members: [(name: JSONText, value: JSONText)] {
    memberPlaces.map { (self[$0.name], self[$0.value]) }
  }

  /// What stands at a place of one of its members.
  package subscript(place: Range<Int>) -> JSONText { JSONText(document, place) }

  /// Whether it has no members or elements.
  package var isEmpty: Bool {
    var parser = parser
    parser.position += 1
    parser.skipSpace()
    return parser.current == UInt8(ascii: "}") || parser.current == UInt8(ascii: "]")
  }

  /// A member's value.
  package func member(_ name: String) -> JSONText? {
    memberPlaces.first { holds(name, at: $0.name) }.map { self[$0.value] }
  }

  /// Whether it is this string.
  package func `is`(_ text: String) -> Bool {
    bytes.first == UInt8(ascii: "\"") && holds(text, at: place)
  }

  /// Whether this string stands at a place where one does.
  package func holds(_ text: String, at place: Range<Int>) -> Bool {
    let (start, end) = (place.lowerBound + 1, place.upperBound - 1)
    var position = start
    if text.utf8.count == end - start {
      for byte in text.utf8 {
        if document[position] != byte { break }
        position += 1
      }
    }
    // Other spellings have an escape.
    var hasEscape = false
    for index in start..<end where document[index] == UInt8(ascii: "\\") { hasEscape = true }
    return hasEscape
      ? JSONParser.text(place, of: document).hasSameBytes(as: text)
      : position == end && text.utf8.count == end - start
  }

  /// A copy that does not keep the rest of the document.
  package var alone: JSONText { JSONText(Array(bytes), 0..<place.count) }

  /// Goes through the elements, in order; none of what is no array.
  package func forEachElement(
    _ body: (JSONText) throws(HyperslabError) -> Void
  ) throws(HyperslabError) {
    guard isArray else { return }
    var parser = parser
    try parser.forEachElement { (parser) throws(HyperslabError) in
      try body(try skip(&parser))
    }
  }

  /// The elements when they are integers that fit, all of them.
  package var integers: [Int]? {
    guard isArray else { return nil }
    var result: [Int] = []
    var parser = parser
    do {
      try parser.forEachElement { (parser) throws(HyperslabError) in
        guard case .integer(let value) = try parser.value(depth: 0) else {
          throw HyperslabError(.invalidJSON, "no integer")
        }
        result.append(value)
      }
    } catch { return nil }
    return result
  }

  /// The value that the parser has come to, which goes on behind it.
  private func skip(_ parser: inout JSONParser) throws(HyperslabError) -> JSONText {
    parser.skipSpace()
    let start = parser.position
    parser.skipChecked()
    return JSONText(document, start..<parser.position)
  }
}
