import HyperslabCore

/// Walks several runs together in the order of chunks; where more than one covers a chunk, the last
/// one's row comes out.
///
/// Of each commit's runs one piece is in memory at a time.
struct RunMerge {
  /// Runs of one commit, in order, none covering what another covers.
  enum Source {
    case listed([DatasetRecord.RunReference])
    case loaded(Run)
  }

  /// A place in a source.
  private struct Cursor {
    var listed: ArraySlice<DatasetRecord.RunReference> = []
    var run: Run?
    var range = 0
    var offset = 0
    var row = 0
    /// The chunk that is next, numbered as the result is; nil at the end.
    var number: Int?

    /// The row that is next.
    var current: ChunkRow? { run?.rows[row] }
  }

  private let table: ChunkTable
  let numbering: ChunkNumbering
  private var cursors: [Cursor]
  /// The sources that have a row left, as a heap: the least number on top, of equal ones the last source.
  private var order: [Int] = []
  private var isStarted = false

  /// - Parameters:
  ///   - sources: Oldest first.
  ///   - numbering: How the result is numbered; chunks that it does not have are left out.
  init(_ sources: [Source], table: ChunkTable, numbering: ChunkNumbering) {
    self.table = table
    self.numbering = numbering
    cursors = sources.map { source in
      switch source {
      case .listed(let references): Cursor(listed: references[...])
      case .loaded(let run):
        run.rows.isEmpty ? Cursor() : Cursor(run: run, offset: -1, row: -1)
      }
    }
  }

  /// References grouped by the commit that wrote them, oldest first.
  static func commits(
    of references: [DatasetRecord.RunReference]
  ) -> [[DatasetRecord.RunReference]] {
    var result: [[DatasetRecord.RunReference]] = []
    for reference in references {
      if result.last?.last?.commit == reference.commit {
        result[result.count - 1].append(reference)
      } else {
        result.append([reference])
      }
    }
    return result
  }

  /// The next chunk's number, its row, and which source it is from.
  mutating func next() throws(HyperslabError) -> (number: Int, row: ChunkRow, source: Int)? {
    if !isStarted {
      isStarted = true
      for index in cursors.indices {
        try advance(index)
        if cursors[index].number != nil { insert(index) }
      }
    }
    guard let winner = order.first, let least = cursors[winner].number,
      let row = cursors[winner].current
    else { return nil }
    while let index = order.first, cursors[index].number == least {
      try advance(index)
      if cursors[index].number == nil {
        let last = order.removeLast()
        if !order.isEmpty { order[0] = last }
      }
      sink()
    }
    return (least, row, winner)
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    let (first, second) = (cursors[a].number ?? .max, cursors[b].number ?? .max)
    return first < second || first == second && a > b
  }

  private mutating func insert(_ index: Int) {
    order.append(index)
    var place = order.count - 1
    while place > 0, precedes(order[place], order[(place - 1) / 2]) {
      order.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  /// Brings what is on top to its place.
  private mutating func sink() {
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2]
      where child < order.count && precedes(order[child], order[least]) {
        least = child
      }
      if least == place { return }
      order.swapAt(place, least)
      place = least
    }
  }

  private mutating func advance(_ index: Int) throws(HyperslabError) {
    repeat {
      guard try step(index) else { return cursors[index].number = nil }
      guard let run = cursors[index].run else { return }
      let own = run.ranges[cursors[index].range].lowerBound + cursors[index].offset
      cursors[index].number = run.numbering.translate(own, to: numbering)
    } while cursors[index].number == nil
  }

  /// Moves on to the next row, of the next piece if need be; false at the end.
  private mutating func step(_ index: Int) throws(HyperslabError) -> Bool {
    if let run = cursors[index].run {
      cursors[index].row += 1
      cursors[index].offset += 1
      if cursors[index].offset == run.ranges[cursors[index].range].count {
        cursors[index].range += 1
        cursors[index].offset = 0
      }
      if cursors[index].row < run.rows.count { return true }
      cursors[index].run = nil
    }
    guard let reference = cursors[index].listed.popFirst() else { return false }
    let run = try table.cache.run(reference, of: table.record, store: table.store)
    let rest = cursors[index].listed
    cursors[index] = Cursor(listed: rest, run: run)
    return true
  }
}
