import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct FillValueTests {
  @Test(arguments: DataType.allCases)
  func jsonKeepsEveryBit(_ dataType: DataType) throws {
    var generator = SeededGenerator("fill \(dataType)")
    for _ in 0..<2000 {
      let fill = try FillValue(
        bytes: ElementPattern.bytes(count: 1, of: dataType, using: &generator), dataType: dataType)
      let text = fill.json.text()
      let read = try FillValue(json: try JSONParser.parse(text.utf8), dataType: dataType)
      #expect(read == fill, "\(text)")
      // The command line leaves the quotes out, and may leave them in for none.
      #expect(
        try FillValue(text: text.filter { $0 != "\"" }, dataType: dataType) == fill, "\(text)")
    }
  }

  @Test func everyHalfIsExactlyItsValue() throws {
    for bits in UInt16.min...UInt16.max {
      let value = FloatBits.value(ofHalf: bits)
      let half = Float16(bitPattern: bits)
      if half.isNaN {
        #expect(value.isNaN)
      } else {
        #expect(value == Double(half) && value.sign == half.sign)
        #expect(FloatBits.bits(of: value, byteCount: 2) == UInt64(bits))
      }
      let fill = try FillValue(
        bytes: [UInt8(bits & 0xFF), UInt8(bits >> 8)], dataType: .float16)
      let parsed = try JSONParser.parse(fill.json.text().utf8)
      #expect(try FillValue(json: parsed, dataType: .float16) == fill)
    }
  }

  @Test func doublesRoundToTheNearestHalfTiesToEven() {
    var generator = SeededGenerator("halves")
    func check(_ value: Double) {
      #expect(
        FloatBits.bits(of: value, byteCount: 2) == UInt64(Float16(value).bitPattern), "\(value)")
    }
    for _ in 0..<100_000 {
      let exponent = Int.random(in: -30...18, using: &generator)
      let significand = Double.random(in: 1..<2, using: &generator)
      check(Double(sign: .plus, exponent: exponent, significand: significand))
      check(Double(sign: .minus, exponent: exponent, significand: significand))
    }
    // The middles between neighbours and the doubles next to them.
    for bits in UInt16(0)..<0x7C00 {
      let low = FloatBits.value(ofHalf: bits)
      let high = bits == 0x7BFF ? 65536 : FloatBits.value(ofHalf: bits + 1)
      let middle = (low + high) / 2
      for value in [middle, middle.nextUp, middle.nextDown, -middle] { check(value) }
    }
    for value in [0, -0.0, .infinity, -.infinity, 65504, 65519.999, 65520, 1e300, 1e-300]
      as [Double]
    {
      check(value)
    }
  }

  static let spellings: [(text: String, fill: FillValue)] = [
    ("true", FillValue(true)), ("false", FillValue(false)), ("-128", FillValue(Int8.min)),
    ("127", FillValue(Int8.max)), ("255", FillValue(UInt8.max)), ("-32768", FillValue(Int16.min)),
    ("9223372036854775807", FillValue(Int64.max)), ("-9223372036854775808", FillValue(Int64.min)),
    ("18446744073709551615", FillValue(UInt64.max)), ("4294967295", FillValue(UInt32.max)),
    ("1", FillValue(Float(1))), ("-0.0", FillValue(Float(-0.0))), ("-0", FillValue(Double(-0.0))),
    ("1e-3", FillValue(0.001)), ("NaN", FillValue(Float.nan)),
    (" - Infinity ", FillValue(-Float.infinity)),
    ("0x7fc00001", FillValue(Float(bitPattern: 0x7FC0_0001))),
    ("0xFFF8000000000000", FillValue(Double(bitPattern: 0xFFF8 << 48))),
    ("0x3f800000", FillValue(Float(1))), ("65504", FillValue(Float16(65504))),
  ]

  @Test(arguments: spellings)
  func commandLineSpelling(_ text: String, _ fill: FillValue) throws {
    #expect(try FillValue(text: text, dataType: fill.dataType) == fill)
  }

  @Test func complexSpelling() throws {
    let expected = FillValue(Float.nan).bytes + FillValue(-Float.infinity).bytes
    #expect(try FillValue(text: "[NaN, -Infinity]", dataType: .complex64).bytes == expected)
    let fill = try FillValue(json: [1, .double(-0.5)], dataType: .complex128)
    #expect(fill.bytes == FillValue(1.0).bytes + FillValue(-0.5).bytes)
    #expect(fill.json.text() == "[1.0, -0.5]")
  }

  static let refusals: [(text: String, dataType: DataType)] = [
    ("2", .bool), ("yes", .bool), ("128", .int8), ("-129", .int8), ("-1", .uint8), ("256", .uint8),
    ("1.5", .int32), ("1e10", .int32), ("2147483648", .int32), ("-2147483649", .int32),
    ("9223372036854775808", .int64), ("18446744073709551616", .uint64), ("-1", .uint64),
    ("", .int8),
    ("NaN", .int32), ("inf", .int8), ("nano", .float32), ("infi", .float32), ("1e39", .float32),
    ("65520", .float16),
    ("1e309", .float64), ("0x7fc0000", .float32), ("0x7fc000011", .float32),
    ("0x+fc00001", .float32),
    ("0x-0000001", .float32), ("0x-0000000", .float32), ("0x7fc0000g", .float32), ("0x1g", .int32),
    ("1+", .complex64), ("[1]", .complex64), ("[1,2,3]", .complex64), ("[1,x]", .complex64),
    ("[]", .complex64),
    ("[1e39,0]", .complex64), ("[[1,2]]", .complex128), ("null", .float32), ("[1", .complex64),
    ("true", .float32), ("{}", .int8),
  ]

  @Test(arguments: refusals)
  func refuses(_ text: String, _ dataType: DataType) {
    let error = #expect(throws: HyperslabError.self) {
      try FillValue(text: text, dataType: dataType)
    }
    #expect(error?.code == .invalidValue)
  }

  @Test func valuesThatJSONLacksAreRefusedWithoutATrap() {
    for value in [Double.nan, .infinity, -.infinity] {
      for dataType in DataType.allCases {
        #expect(throws: HyperslabError.self) {
          try FillValue(json: .double(value), dataType: dataType)
        }
      }
    }
  }

  @Test func bitsMustBeAsManyAsTheTypeHas() {
    #expect(throws: HyperslabError.self) { try FillValue(bytes: [0], dataType: .int16) }
    #expect(throws: HyperslabError.self) { try FillValue(bytes: [0, 0], dataType: .int8) }
    #expect(throws: HyperslabError.self) { try FillValue(bytes: [2], dataType: .bool) }
  }

  @Test(arguments: DataType.allCases)
  func fillsIsExactToTheBit(_ dataType: DataType) throws {
    var generator = SeededGenerator("fills \(dataType)")
    let size = dataType.byteCount
    for count in 0...40 {
      let fill = try FillValue(
        bytes: ElementPattern.bytes(count: 1, of: dataType, using: &generator), dataType: dataType)
      var memory = [UInt8](repeating: 0xA5, count: count * size + 2)
      memory.withUnsafeMutableBytes {
        fill.write(over: UnsafeMutableRawBufferPointer(rebasing: $0[1..<1 + count * size]))
      }
      #expect(memory == [0xA5] + (0..<count).flatMap { _ in fill.bytes } + [0xA5])
      func fills() -> Bool {
        memory.withUnsafeBytes {
          fill.fills(UnsafeRawBufferPointer(rebasing: $0[1..<1 + count * size]))
        }
      }
      #expect(fills())
      for index in 1..<1 + count * size {
        let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
        memory[index] ^= bit
        #expect(!fills())
        memory[index] ^= bit
      }
    }
  }
}
