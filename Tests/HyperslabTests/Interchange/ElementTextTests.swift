import Hyperslab
import Testing

@Suite struct ElementTextTests {
  private func text(_ json: JSONValue, _ type: DataType, _ style: ElementText.Style) throws
    -> String
  {
    let bytes = try FillValue(json: json, dataType: type).bytes
    return try ElementText(type, style: style).text(of: bytes.span.bytes, at: 0)
  }

  @Test(
    arguments: [
      (DataType.bool, true, "True", "true"), (.int8, -128, "-128", "-128"),
      (.uint64, .unsigned(.max), "18446744073709551615", "18446744073709551615"),
      (.int64, .integer(.min), "-9223372036854775808", "-9223372036854775808"),
      (.float16, 0.1, "0.1", "0.1"), (.float32, 293.15, "293.15", "293.15"),
      (.float64, .double(.leastNonzeroMagnitude), "5e-324", "5e-324"),
      (.float32, "NaN", "nan", "\"NaN\""),
      (.float64, "-Infinity", "-inf", "\"-Infinity\""), (.float64, -0.0, "-0.0", "-0.0"),
      (.complex64, [0.1, -2.0], "(0.1-2.0j)", "[0.1, -2.0]"),
      (.complex128, ["NaN", "Infinity"], "(nan+infj)", "[\"NaN\", \"Infinity\"]"),
    ] as [(DataType, JSONValue, String, String)])
  func elementsPrintShortestInBothStyles(
    _ type: DataType, _ value: JSONValue, _ python: String, _ json: String
  ) throws {
    #expect(try text(value, type, .python) == python)
    #expect(try text(value, type, .json) == json)
  }
}
