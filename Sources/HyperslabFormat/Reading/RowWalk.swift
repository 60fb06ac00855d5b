import HyperslabCodecs
import HyperslabCore

/// The rows of some decoded blocks in the order of where they go: again and again those blocks whose next
/// rows lie in one row of the result, and as many rows of them as all have.
struct RowWalk {
  /// A block and what of it is still to come.
  private struct Cursor {
    let block: DecodedBlock
    /// Among those of all blocks.
    var planes: Range<Int>
    /// The rows of the first of them that are done.
    var rowsDone = 0
  }

  /// Rows of a block that come next.
  struct Step {
    let block: DecodedBlock
    let plane: ChunkCopy.Plane
    /// The first of them in the plane.
    let row: Int
    fileprivate let cursor: Int
  }

  private var cursors: [Cursor] = []
  private var planes: [ChunkCopy.Plane] = []
  /// What comes next, of blocks that are decoded alike.
  private(set) var steps: [Step] = []
  /// How many rows of each.
  private(set) var rows = 0

  /// Adds what a region needs of a block that holds a range of its chunk's elements.
  mutating func add(_ block: DecodedBlock, _ range: Range<Int>, _ copy: ChunkCopy) {
    let first = planes.count
    copy.forEachPlane(in: range) { planes.append($0) }
    if planes.count > first {
      cursors.append(Cursor(block: block, planes: first..<planes.count))
    }
  }

  /// Finds what comes next; false at the end.
  mutating func findNext() -> Bool {
    steps.removeAll(keepingCapacity: true)
    guard let first = cursors.indices.min(by: { offset($0) < offset($1) }) else { return false }
    let end = offset(first) + plane(first).byteStrides.rows
    rows = .max
    for position in cursors.indices {
      let cursor = cursors[position]
      guard position == first || offset(position) < end,
        cursor.block.isInPlanes == cursors[first].block.isInPlanes
      else { continue }
      let plane = plane(position)
      steps.append(Step(block: cursor.block, plane: plane, row: cursor.rowsDone, cursor: position))
      rows = Swift.min(rows, plane.counts.rows - cursor.rowsDone)
    }
    return true
  }

  /// Leaves behind so many rows of what was found.
  mutating func advance(_ rows: Int) {
    for step in steps {
      cursors[step.cursor].rowsDone += rows
      if cursors[step.cursor].rowsDone == step.plane.counts.rows {
        cursors[step.cursor].planes.removeFirst()
        cursors[step.cursor].rowsDone = 0
      }
    }
    cursors.removeAll { $0.planes.isEmpty }
  }

  private func plane(_ cursor: Int) -> ChunkCopy.Plane {
    planes[cursors[cursor].planes.lowerBound]
  }

  /// Where in the result a block's next row begins.
  private func offset(_ cursor: Int) -> Int {
    let plane = plane(cursor)
    return plane.byteOffset + cursors[cursor].rowsDone * plane.byteStrides.rows
  }
}
