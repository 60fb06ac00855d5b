/// Reverses the bytes of every `width`-byte unit in place; a trailing part unit is left alone.
package func swapBytes(_ bytes: UnsafeMutableRawBufferPointer, width: Int) {
  func swap<T: FixedWidthInteger>(_ type: T.Type) {
    var offset = 0
    while offset + width <= bytes.count {
      let value = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
      unsafe bytes.storeBytes(of: value.byteSwapped, toByteOffset: offset, as: T.self)
      offset += width
    }
  }
  switch width {
  case 2: swap(UInt16.self)
  case 4: swap(UInt32.self)
  case 8: swap(UInt64.self)
  default: break
  }
}
