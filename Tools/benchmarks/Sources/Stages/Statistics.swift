import HyperslabCore

extension Stage {
  /// Minimum, maximum and NaNs, and whether all is the fill value.
  static var statistics: [Stage] {
    let types: [DataType] = [.uint8, .int16, .int32, .int64, .float32, .float64, .complex64]
    let all = types.map { type in
      Stage("statistics/\(type)") {
        let sample = Samples.recording(elementByteCount: type.byteCount)
        return {
          var statistics = ElementStatistics()
          statistics.add(sample.bytes, dataType: type)
          keep(statistics)
        }
      }
    }
    let fills = Stage("fills") {
      let memory = ElementBuffer(byteCount: Samples.byteCount)
      let fill = FillValue(Int16(3))
      fill.write(
        over: UnsafeMutableRawBufferPointer(start: memory.pointer, count: memory.byteCount))
      return { keep(fill.fills(memory.bytes)) }
    }
    return all + [fills]
  }
}
