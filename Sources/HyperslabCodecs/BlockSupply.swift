import HyperslabCore

/// Where the elements are that blocks are made of. Whoever names memory sees to it that it stays as long.
@safe package enum BlockSupply {
  /// All in memory.
  case memory(UnsafeRawPointer)
  /// In a source that is read a block at a time.
  case window(StreamWindow)

  /// What the layouts of chunks count from, as long as a range of each chunk's elements is in hand.
  func base(for elements: Range<Int>) throws(HyperslabError) -> UnsafeRawPointer {
    switch self {
    case .memory(let base): unsafe base
    case .window(let window): try unsafe window.base(for: elements)
    }
  }
}
