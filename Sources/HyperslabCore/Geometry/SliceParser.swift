extension AxisSlice {
  /// Reads a NumPy-like index: `0:10,5,:,::2,-3:,...`. Empty text means everything.
  ///
  /// - Throws: `invalid_value` naming the term that cannot be read.
  public static func parse(_ text: String) throws(HyperslabError) -> [AxisSlice] {
    var body = trimmed(text[...])
    if body.hasPrefix("["), body.hasSuffix("]") { body = trimmed(body.dropFirst().dropLast()) }
    if body.isEmpty { return [] }
    var terms: [AxisSlice] = []
    for term in body.split(separator: ",", omittingEmptySubsequences: false) {
      terms.append(try parseTerm(trimmed(term)))
    }
    return terms
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let end = text.lastIndex { !$0.isWhitespace }.map(text.index(after:)) ?? text.startIndex
    return text[..<end].drop(while: \.isWhitespace)
  }

  private static func parseTerm(_ term: Substring) throws(HyperslabError) -> AxisSlice {
    if term == "..." { return .ellipsis }
    let parts = term.split(separator: ":", omittingEmptySubsequences: false).map(trimmed)
    var numbers: [Int?] = []
    for part in parts {
      if part.isEmpty {
        numbers.append(nil)
      } else if let number = Int(part) {
        numbers.append(number)
      } else {
        throw malformed(term)
      }
    }
    switch numbers.count {
    case 1:
      guard let position = numbers[0] else { throw malformed(term) }
      return .position(position)
    case 2: return .range(start: numbers[0], stop: numbers[1], step: 1)
    case 3: return .range(start: numbers[0], stop: numbers[1], step: numbers[2] ?? 1)
    default: throw malformed(term)
    }
  }

  private static func malformed(_ term: Substring) -> HyperslabError {
    HyperslabError(
      .invalidValue, "the selection term \"\(term)\" cannot be read",
      expected: "an integer, start:stop, start:stop:step or ...",
      remedy: "Write for example 0:10,5,:,::2,-3:,...")
  }
}
