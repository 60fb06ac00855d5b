extension String {
  /// Whether no more than 30 combining marks follow one another: Unicode's Stream-Safe Text Format (UAX #15).
  /// Telling spellings apart takes time with the square of their number.
  package var isStreamSafe: Bool {
    if utf8.span.isASCII { return true }
    var count = 0
    for scalar in unicodeScalars {
      count = scalar.properties.canonicalCombiningClass == .notReordered ? 0 : count + 1
      if count > 30 { return false }
    }
    return true
  }
}
