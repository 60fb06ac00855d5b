public import HyperslabCore

/// A data source that gives arrays of Swift values: the least there is to write.
///
///     struct Ramp: ArrayDataChunkSource {
///       let shape: Shape = [12, 6]
///       func data(_ selection: Selection) -> [Int16] {
///         selection.bounds[0].flatMap { row in
///           selection.bounds[1].map { column in Int16(row * 6 + column) }
///         }
///       }
///     }
public protocol ArrayDataChunkSource: DataChunkSource {
  /// The type of the elements.
  associatedtype Element: ArrayElement

  /// The selection's elements in C order, exactly as many as it holds.
  func data(_ selection: Selection) throws -> [Element]
}

extension ArrayDataChunkSource {
  /// The element type's run-time name; one that says otherwise makes every read fail.
  public var dataType: DataType { Element.dataType }

  /// Copies what ``data(_:)`` gives.
  ///
  /// - Throws: `source_too_short`, `source_too_long`, `type_mismatch`, and what the source throws.
  public func read(_ selection: Selection, into buffer: inout OutputRawSpan) throws {
    try unsafe checkedElements(selection).withUnsafeBytes { source in
      guard source.count <= buffer.freeCapacity else {
        throw HyperslabError(
          .sizeMismatch, "memory for the selection \(selection)",
          expected: "room for \(source.count) bytes", found: "\(buffer.freeCapacity)")
      }
      unsafe buffer.withUnsafeMutableBytes { target, initializedCount in
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[initializedCount...])
          .copyMemory(from: source)
        initializedCount += source.count
      }
    }
  }

  /// The elements, kept as they came, so that they need not be copied into a buffer.
  func arrayMemory(_ selection: Selection) throws -> any BufferMemory {
    ArrayMemory(elements: try checkedElements(selection))
  }

  private func checkedElements(_ selection: Selection) throws -> [Element] {
    let (expected, found) = (dataType, try DataType(of: Element.self))
    guard found == expected else {
      throw HyperslabError(
        .typeMismatch, "the source says \(expected) and gives \(Element.self) values",
        expected: "\(expected)", found: "\(found)")
    }
    let elements = try data(selection)
    try requireCount(elements.count, of: selection.shape.elementCount, selection, "elements")
    return elements
  }
}

/// Refuses a source that gave another amount than the selection holds.
func requireCount(
  _ found: Int, of expected: Int?, _ selection: Selection, _ unit: String
) throws(HyperslabError) {
  if found == expected { return }
  let isShort = expected.map { found < $0 } ?? true
  throw HyperslabError(
    isShort ? .sourceTooShort : .sourceTooLong,
    "the source gave too \(isShort ? "little" : "much") for the selection \(selection)",
    expected: expected.map { "\($0) \(unit)" }, found: "\(found) \(unit)",
    remedy: "A source gives exactly the selection's elements, in C order")
}
