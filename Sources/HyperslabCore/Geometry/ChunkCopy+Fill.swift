extension ChunkCopy {
  /// Writes a fill value wherever the region lies on the other side.
  package func fill(with value: FillValue, into base: UnsafeMutableRawPointer) {
    let target = regionOnly
    let step = Swift.min(target.elementCount, 4096)
    let block = ElementBuffer(byteCount: step * elementByteCount)
    unsafe value.write(
      over: UnsafeMutableRawBufferPointer(start: block.pointer, count: block.byteCount))
    var start = 0
    while start < target.elementCount {
      let end = Swift.min(start + step, target.elementCount)
      unsafe target.scatter(start..<end, from: block.pointer, into: base)
      start = end
    }
  }
}
