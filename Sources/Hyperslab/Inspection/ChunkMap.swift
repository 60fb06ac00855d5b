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

  /// Draws a data set's chunks in at most so many lines and columns.
  ///
  /// - Complexity: one look into the index a chunk.
  public init(
    _ dataset: some ChunkedDataset, lineLimit: Int = 48, columnLimit: Int = 96
  ) throws(HyperslabError) {
    let grid = dataset.grid
    let isLine = grid.gridShape.count { $0 > 1 } <= 1
    let columns = isLine ? Swift.min(grid.chunkCount, columnLimit) : grid.gridShape.last ?? 1
    let rows = columns == 0 ? 0 : grid.chunkCount.dividedRoundingUp(by: columns)
    scale = (
      Swift.max(1, rows.dividedRoundingUp(by: Swift.max(1, lineLimit))),
      Swift.max(1, columns.dividedRoundingUp(by: Swift.max(1, columnLimit)))
    )
    var lines: [String] = []
    for top in stride(from: 0, to: rows, by: scale.rows) {
      var line = ""
      for left in stride(from: 0, to: columns, by: scale.columns) {
        var states: Set<ChunkState> = []
        for row in top..<Swift.min(top + scale.rows, rows) {
          for column in left..<Swift.min(left + scale.columns, columns) {
            let number = row * columns + column
            if number >= grid.chunkCount { continue }
            states.insert(try dataset.state(of: grid.index(ofNumber: number)))
          }
        }
        if !states.isEmpty { line += Self.mark(states) }
      }
      lines.append(line)
    }
    self.lines = lines
  }

  private static func mark(_ states: Set<ChunkState>) -> String {
    guard states.count == 1, let state = states.first else { return "▒" }
    return switch state {
    case .stored: "█"
    case .fill: "░"
    case .neverWritten: "·"
    }
  }
}
