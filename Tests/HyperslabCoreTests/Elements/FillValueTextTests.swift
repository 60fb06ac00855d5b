import HyperslabCore
import Testing

/// Fill values as people type them.
@Suite struct FillValueTextTests {
  static let spellings: [(text: String, fill: FillValue)] = [
    ("1", FillValue(true)), ("0", FillValue(false)), ("True", FillValue(true)),
    ("FALSE", FillValue(false)),
    ("0", FillValue(Int16(0))), ("+5", FillValue(Int8(5))), ("-999.0", FillValue(Int16(-999))),
    ("1e3", FillValue(Int32(1000))), ("0xff", FillValue(UInt8.max)), ("-0x80", FillValue(Int8.min)),
    ("0xFFFFFFFFFFFFFFFF", FillValue(UInt64.max)), ("-0", FillValue(Int64(0))),
    ("0", FillValue(Float(0))), ("nan", FillValue(Float.nan)), ("NAN", FillValue(Double.nan)),
    ("inf", FillValue(Float.infinity)), ("-inf", FillValue(-Double.infinity)),
    ("+Inf", FillValue(Float.infinity)), ("-infinity", FillValue(-Float.infinity)),
    ("-0.0", FillValue(Double(-0.0))), ("-0", FillValue(Float(-0.0))), ("1.", FillValue(Float(1))),
    (".5", FillValue(0.5)), ("-.5e-1", FillValue(-0.05)), ("+3", FillValue(Double(3))),
    ("1.e3", FillValue(Double(1000))), ("1E3", FillValue(Float(1000))),
  ]

  @Test(arguments: spellings)
  func whatSaysTheSameIsTheSame(_ text: String, _ fill: FillValue) throws {
    #expect(try FillValue(text: text, dataType: fill.dataType) == fill)
  }

  static let complexSpellings: [(text: String, real: Float, imaginary: Float)] = [
    ("0", 0, 0), ("1.5", 1.5, 0), ("1+2j", 1, 2), ("1 - 2j", 1, -2), ("(1+2j)", 1, 2),
    ("2j", 0, 2), ("-2j", 0, -2), ("-0.0-0.0j", -0.0, -0.0), ("1e-3+2e+4j", 0.001, 20000),
    ("nan", .nan, 0), ("nan+nanj", .nan, .nan), ("-inf+infj", -.infinity, .infinity),
    ("[1,2]", 1, 2), ("[nan, -0.0]", .nan, -0.0), ("0x3f800000", 1, 0),
    ("0x3f80000040000000", 1, 2), ("[0x3f800000,0x40000000]", 1, 2), (".5+.5J", 0.5, 0.5),
  ]

  @Test(arguments: complexSpellings)
  func complexNumbersAreTypedAsInPython(_ text: String, _ real: Float, _ imaginary: Float) throws {
    #expect(
      try FillValue(text: text, dataType: .complex64).bytes
        == FillValue(real).bytes + FillValue(imaginary).bytes)
    if text.contains("0x") { return }
    let wide = try FillValue(text: text, dataType: .complex128)
    if real == real.rounded(), imaginary == imaginary.rounded() {
      #expect(wide.bytes == FillValue(Double(real)).bytes + FillValue(Double(imaginary)).bytes)
    }
  }

  @Test(arguments: [
    ("nan", DataType.int16, "integers have no NaN"), ("300", .uint8, "from 0 to 2^8 - 1"),
    ("1e39", .float32, "at most 3.4e38"), ("70000", .float16, "at most 65504"),
    ("1+2j", .float64, "a number of at most"), ("1e39+0j", .complex64, "such as 0, 1.5 or 1+2j"),
    ("", .float32, "a number"), ("1+2", .complex64, "1+2j"),
    ("0x1p3", .float64, "hexadecimal digits"),
    ("--1", .int8, "whole number"), ("1.2.3", .float32, "a number"), ("1+j", .complex64, "1+2j"),
  ])
  func refusalsSayWhatTheTypeTakes(_ text: String, _ type: DataType, _ why: String) {
    let error = #expect(throws: HyperslabError.self) { try FillValue(text: text, dataType: type) }
    #expect(error?.code == .invalidValue)
    #expect(error?.expected?.contains(why) == true, "\(error?.description ?? "")")
  }
}
