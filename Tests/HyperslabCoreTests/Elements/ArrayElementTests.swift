import ComplexModule
import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct ArrayElementTests {
  @Test func swiftTypesHaveTheLayoutTheyName() {
    func check<Element: ArrayElement>(_ element: Element.Type, _ dataType: DataType) {
      #expect(Element.dataType == dataType)
      #expect(MemoryLayout<Element>.size == dataType.byteCount)
      #expect(MemoryLayout<Element>.stride == dataType.byteCount)
    }
    check(Bool.self, .bool)
    check(Int8.self, .int8)
    check(Int16.self, .int16)
    check(Int32.self, .int32)
    check(Int64.self, .int64)
    check(Int.self, .int64)
    check(UInt8.self, .uint8)
    check(UInt16.self, .uint16)
    check(UInt32.self, .uint32)
    check(UInt64.self, .uint64)
    check(Float16.self, .float16)
    check(Float.self, .float32)
    check(Double.self, .float64)
    check(Complex<Float>.self, .complex64)
    check(Complex<Double>.self, .complex128)
  }

  @Test func namesReadBack() throws {
    for type in DataType.allCases { #expect(try DataType.named("\(type)") == type) }
    for name in ["", "float", "Int8", "int8 ", "<i4", "complex256"] {
      let error = #expect(throws: HyperslabError.self) { try DataType.named(name) }
      #expect(error?.code == .invalidValue)
      #expect(error?.expected?.contains("complex128") == true)
    }
  }

  @Test func swappingBytes() {
    for width in [1, 2, 4, 8] {
      for count in 0...27 {
        let bytes = (0..<count).map { UInt8($0) }
        var swapped = bytes
        swapped.withUnsafeMutableBytes { swapBytes($0, width: width) }
        let whole = count / width * width
        let expected = stride(from: 0, to: whole, by: width).flatMap {
          bytes[$0..<$0 + width].reversed()
        }
        #expect(swapped == expected + bytes[whole...])
      }
    }
  }
}
