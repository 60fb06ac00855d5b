public import HyperslabCore

extension HyperslabError.Code {
  /// Both a buffer size and a buffer shape were given.
  public static let bufferGBAndShape = Self(rawValue: "buffer_gb_and_shape")
  /// Both a chunk size and a chunk shape were given.
  public static let chunkMBAndShape = Self(rawValue: "chunk_mb_and_shape")
  /// A buffer size that is not above 0.
  public static let nonpositiveBufferGB = Self(rawValue: "nonpositive_buffer_gb")
  /// A chunk size that is not above 0.
  public static let nonpositiveChunkMB = Self(rawValue: "nonpositive_chunk_mb")
  /// A buffer axis below 1.
  public static let nonpositiveBuffer = Self(rawValue: "nonpositive_buffer")
  /// A chunk axis below 1.
  public static let nonpositiveChunk = Self(rawValue: "nonpositive_chunk")
  /// A chunk axis longer than the array's.
  public static let chunkExceedsData = Self(rawValue: "chunk_exceeds_data")
  /// A buffer axis longer than the array's.
  public static let bufferExceedsData = Self(rawValue: "buffer_exceeds_data")
  /// A chunk axis longer than the buffer's.
  public static let chunkExceedsBuffer = Self(rawValue: "chunk_exceeds_buffer")
  /// A buffer that is not whole chunks although it ends inside the array.
  public static let chunkNotDividingBuffer = Self(rawValue: "chunk_not_dividing_buffer")
  /// A data source gave fewer elements than it was asked for.
  public static let sourceTooShort = Self(rawValue: "source_too_short")
  /// A data source gave more elements than it was asked for.
  public static let sourceTooLong = Self(rawValue: "source_too_long")
  /// A data source, such as a file, changed while it was being read.
  public static let sourceChanged = Self(rawValue: "source_changed")
  /// A data source threw; its error is the cause.
  public static let sourceFailed = Self(rawValue: "source_failed")
  /// What is there is not what a write would continue: other settings or other values.
  public static let resumeMismatch = Self(rawValue: "resume_mismatch")
  /// One buffer does not fit into the memory that may be used.
  public static let memoryBudget = Self(rawValue: "memory_budget")
}
