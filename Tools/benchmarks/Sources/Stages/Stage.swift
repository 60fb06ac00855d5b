import HyperslabCodecs
import HyperslabCore

/// x
public struct Stage {
  /// x
  public static var all: [UInt32] { [CRC32C.of([1])] }
}
