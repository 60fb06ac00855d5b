import HyperslabCore

extension NpyHeader {
  /// The header as the bytes that NumPy itself would write, version 1.0, elements at a multiple of 64.
  ///
  /// - Throws: `invalid_shape` for a negative axis, or so many that version 1.0 has no room for them.
  public func encoded() throws(HyperslabError) -> [UInt8] {
    guard shape.allSatisfy({ $0 >= 0 }) else {
      throw HyperslabError(
        .invalidShape, "a .npy file of shape \(shape)", expected: "no negative axis")
    }
    var text = "{'descr': '\(type.descriptor)', 'fortran_order': "
    text += "\(isFortranOrder ? "True" : "False"), 'shape': \(shape), }"
    if let growing = isFortranOrder ? shape.last : shape.first {
      // NumPy leaves room for the growing axis to reach 21 digits in place.
      text += String(repeating: " ", count: Swift.max(0, 21 - String(growing).utf8.count))
    }
    let used = Self.magic.count + 4 + text.utf8.count + 1
    text += String(repeating: " ", count: 64 - used % 64) + "\n"
    guard let length = UInt16(exactly: text.utf8.count) else {
      throw HyperslabError(
        .invalidShape, "a .npy file of \(shape.rank) axes", expected: "fewer",
        remedy: "Export plain numbers instead (raw)")
    }
    return Self.magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
  }
}
