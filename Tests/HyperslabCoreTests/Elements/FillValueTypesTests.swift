import HyperslabCore
import Testing

/// Fill values taken over into another type: exactly, or not at all.
@Suite struct FillValueTypesTests {
  @Test func whatIsHeldExactly() throws {
    #expect(FillValue(Int16(-1)).exactly(as: .int64) == FillValue(Int64(-1)))
    #expect(FillValue(Int64(255)).exactly(as: .uint8) == FillValue(UInt8(255)))
    #expect(FillValue(UInt64.max).exactly(as: .uint64) == FillValue(UInt64.max))
    #expect(FillValue(Int32(-7)).exactly(as: .float32) == FillValue(Float(-7)))
    #expect(FillValue(Double(0x1p40)).exactly(as: .int64) == FillValue(Int64(1 << 40)))
    #expect(FillValue(Double(0x1p63)).exactly(as: .uint64) == FillValue(UInt64.max / 2 + 1))
    #expect(FillValue(Double.nan).exactly(as: .float32) == FillValue(Float.nan))
    #expect(FillValue(-Float.infinity).exactly(as: .float64) == FillValue(-Double.infinity))
    #expect(FillValue(Float(-0.0)).exactly(as: .float64) == FillValue(Double(-0.0)))
    let complex = try #require(FillValue(Float(1.5)).exactly(as: .complex128))
    #expect(complex.json == [1.5, 0.0])
    #expect(complex.exactly(as: .float32) == FillValue(Float(1.5)))
    #expect(FillValue(true).exactly(as: .bool) == FillValue(true))
  }

  @Test func whatIsNot() throws {
    #expect(FillValue(Int16(-1)).exactly(as: .uint8) == nil)
    #expect(FillValue(Int16(256)).exactly(as: .uint8) == nil)
    #expect(FillValue(UInt64.max).exactly(as: .int64) == nil)
    #expect(FillValue(Int64.max).exactly(as: .float64) == nil)
    #expect(FillValue(Int32(2049)).exactly(as: .float16) == nil)
    #expect(FillValue(Double(0.1)).exactly(as: .float32) == nil)
    #expect(FillValue(Double(1e300)).exactly(as: .float32) == nil)
    #expect(FillValue(Double(1.5)).exactly(as: .int32) == nil)
    #expect(FillValue(Double(-0.0)).exactly(as: .int32) == nil)
    #expect(FillValue(Double.nan).exactly(as: .int32) == nil)
    #expect(FillValue(Double.infinity).exactly(as: .int64) == nil)
    #expect(FillValue(Float(bitPattern: 0x7FC0_0001)).exactly(as: .float64) == nil)
    #expect(FillValue(true).exactly(as: .uint8) == nil)
    #expect(FillValue(UInt8(1)).exactly(as: .bool) == nil)
    let complex = try FillValue(json: [1, 2], dataType: .complex64)
    #expect(complex.exactly(as: .float64) == nil)
  }
}
