/// An array of which a stretch can be read without the rest: one in a file.
package protocol StreamSource: Sendable {
  /// Reads some of a box's elements, in host byte order.
  ///
  /// - Parameters:
  ///   - elements: Which, counted in the box's C order.
  ///   - box: A box of the array.
  ///   - memory: Has room for them.
  func read(
    _ elements: Range<Int>, of box: Selection, into memory: UnsafeMutableRawPointer
  ) throws(HyperslabError)

  /// Throws `source_changed` unless the array still is the one that was opened.
  func checkUnchanged() throws(HyperslabError)
}

/// The elements of a box in C order, read where they are needed: what is worked on then is in the cache,
/// and memory does not grow with the box.
package struct ElementStream: Sendable {
  package let source: any StreamSource
  /// In coordinates of the source.
  package let box: Selection

  package init(_ source: any StreamSource, _ box: Selection) {
    self.source = source
    self.box = box
  }

  /// The elements of a part, where the box is the given one of another array.
  package func part(_ region: Selection, in whole: Selection) -> ElementStream {
    part(region.relative(to: whole.origin))
  }

  /// The elements of a part of the box, which is in the box's own coordinates.
  package func part(_ region: Selection) -> ElementStream {
    ElementStream(
      source,
      Selection(
        zip(region.bounds, box.bounds).map { part, whole in
          whole.lowerBound + part.lowerBound..<whole.lowerBound + part.upperBound
        }))
  }
}

/// A data set that encodes chunks while they are read.
package protocol StreamedDataset: ChunkedDataset {
  /// How many chunks may be read together, lest a thread take too much memory.
  var mostStreamedTogether: Int { get }

  /// Shows the store data of the kind to come; as ``ChunkedDataset/prepare(sample:layout:)``.
  func prepare(sample: ElementStream) throws(HyperslabError)

  /// Stores some chunks that lie side by side along the last axis; as
  /// ``ChunkedDataset/writeChunks(_:from:)``.
  ///
  /// - Parameter stream: The elements of the box that the chunks are together.
  func writeChunks(_ chunks: [ChunkIndex], from stream: ElementStream) throws(HyperslabError)
}
