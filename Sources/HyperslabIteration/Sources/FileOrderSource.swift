package import HyperslabCore

/// A source that reads any part of a buffer as cheaply as all of it, and in an order of axes of its own:
/// an array in a file. It is read in pieces of a buffer, one ahead of their use, in memory that stays in
/// use, and lends nothing.
package protocol FileOrderSource: DataChunkSource {
  /// The axes in the order in which they lie in the file.
  var axesFromSlowest: [Int] { get }

  /// Reads a selection's elements, in host byte order, into the front of memory that holds them.
  ///
  /// - Returns: where they lie in it, a layout of the selection's shape without gaps.
  func load(
    _ selection: Selection, into memory: UnsafeMutableRawBufferPointer
  ) throws(HyperslabError) -> StridedLayout

  /// The array as a source of streams, if boxes of a shape lie in it in runs of C order at least so long:
  /// shorter ones are read faster with all that is between.
  func streamSource(ofBoxes shape: Shape, leastRunByteCount: Int) -> (any StreamSource)?
}
