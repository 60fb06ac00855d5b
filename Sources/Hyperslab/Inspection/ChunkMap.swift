public import HyperslabCore

/// A picture of which chunks of a data set are stored, one character a chunk or a group of chunks.
///
/// Rows are the last grid axis; grids of more axes are stacked, and a grid of one long axis is broken
/// into lines. `█` is stored, `░` holds only the
/// fill value, `·` was never written, `▒` is a group of different ones.
public struct ChunkMap: Sendable {
  /// The picture's lines.
  public let lines: [String]
  /// How many chunks a character stands for, down and across.
  public let scale: (rows: Int, columns: Int)

  /// More are never drawn, whatever is asked for.
  private static let mostCells = 1 << 10

  /// Draws a data set's chunks in at most so many lines and columns, from 1 to 1024 of each.
  ///
  /// - Complexity: one look into the index a chunk that was written.
  public init(
    _ dataset: some ChunkedDataset, lineLimit: Int = 48, columnLimit: Int = 96
  ) throws(HyperslabError) {
    let lineLimit = Swift.min(Swift.max(1, lineLimit), Self.mostCells)
    let columnLimit = Swift.min(Swift.max(1, columnLimit), Self.mostCells)
    let grid = dataset.grid
    let isLine = grid.gridShape.count { $0 > 1 } <= 1
    let columns = isLine ? Swift.min(grid.chunkCount, columnLimit) : grid.gridShape.last ?? 1
    let rows = columns == 0 ? 0 : grid.chunkCount.dividedRoundingUp(by: columns)
    scale = (
      Swift.max(1, rows.dividedRoundingUp(by: lineLimit)),
      Swift.max(1, columns.dividedRoundingUp(by: columnLimit))
    )
    let scale = scale
    let width = columns.dividedRoundingUp(by: scale.columns)
    var cells = Array(
      repeating: Cell(), count: rows.dividedRoundingUp(by: scale.rows) * width)
    try dataset.forEachWrittenChunk { (chunk, state) throws(HyperslabError) in
      let (row, column) = try grid.number(of: chunk).quotientAndRemainder(dividingBy: columns)
      let cell = row / scale.rows * width + column / scale.columns
      if state == .stored { cells[cell].stored += 1 } else { cells[cell].fill += 1 }
    }
    lines = stride(from: 0, to: rows, by: scale.rows).map { top in
      var line = ""
      for left in stride(from: 0, to: columns, by: scale.columns) {
        let end = Swift.min(top + scale.rows, rows)
        let right = Swift.min(left + scale.columns, columns)
        // The last line of a broken one may be short.
        let last = grid.chunkCount - (rows - 1) * columns
        let missing = end == rows ? Swift.max(0, right - Swift.max(left, last)) : 0
        let count = (end - top) * (right - left) - missing
        if count > 0 {
          line += cells[top / scale.rows * width + left / scale.columns].mark(of: count)
        }
      }
      return line
    }
  }

  /// How many of the chunks that a character stands for were written.
  private struct Cell {
    var stored = 0
    var fill = 0

    func mark(of count: Int) -> String {
      if stored == count { return "█" }
      if fill == count { return "░" }
      return stored + fill == 0 ? "·" : "▒"
    }
  }
}
