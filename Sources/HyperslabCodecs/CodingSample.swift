import HyperslabCore
import Synchronization

/// Parts of some chunks of the sample: the fewer blocks a chunk has, the more chunks.
struct CodingSample: Sendable {
  /// What of a chunk is tried.
  enum Part {
    /// Some blocks spread over it, in other places of each chunk; more where they are the fill value only,
    /// which tells little.
    case spread
    /// A window, in another place of each chunk, of some of the chunks: about the same bytes whatever
    /// the block size.
    case window(byteCount: Int, chunks: Int)
  }

  private static let leastChunkCount = 8
  private static let blockBudget = 24
  /// Blocks looked at for each one wanted, where those hold nothing but the fill value.
  private static let mostLookedAt = 4
  private let chunkShape: Shape
  private let chunks: [CodingSource]
  private let level: Int
  private let fill: FillValue
  private let chunkByteCount: Int

  /// Nil where nothing but the fill value was found, or nothing at all.
  ///
  /// - Throws: `chunk_too_large`.
  init?(
    _ source: CodingSource, chunkShape: Shape, level: Int, fill: FillValue
  ) throws(HyperslabError) {
    guard let grid = try? ChunkGrid(arrayShape: source.shape, chunkShape: chunkShape),
      grid.chunkCount > 0
    else { return nil }
    self.chunkShape = chunkShape
    self.level = level
    self.fill = fill
    chunkByteCount = Checked.product(chunkShape.axes + [fill.dataType.byteCount]) ?? Int.max
    let blocks = chunkByteCount.dividedRoundingUp(by: FrameFormat.defaultBlockByteCount)
    let count = Swift.min(
      grid.chunkCount, Swift.max(Self.leastChunkCount, Self.blockBudget / blocks))
    let all = Self.numbers(count, of: grid.chunkCount).map { number in
      source.part(grid.selection(of: grid.chunks[number]))
    }
    let format = try FrameFormat(
      elementByteCount: fill.dataType.byteCount, filter: .none, chunkByteCount: chunkByteCount,
      blockByteCount: FrameFormat.defaultBlockByteCount)
    let encoder = try FrameEncoder(format: format, level: 1, fill: fill)
    // Chunks of nothing but the fill value are not stored, and have no say in how.
    var chunks: [CodingSource] = []
    for (number, chunk) in all.enumerated() {
      let (copy, supply) = try chunk.open(chunkShape, format)
      let (numbers, others) = Self.spread(over: format, inChunk: number, of: all.count)
      for block in numbers + others
      where unsafe !fill.fills(try encoder.bytes(ofBlock: block, copy, from: supply)) {
        chunks.append(chunk)
        break
      }
    }
    if chunks.isEmpty { return nil }
    self.chunks = chunks
  }

  /// Some of the numbers below a limit, all different, evenly spread but in no step that the array's own
  /// shape could be in step with: corners and edges of images are often empty.
  ///
  /// - Parameter draw: Others for another one.
  private static func numbers(_ count: Int, of limit: Int, draw: Int = 0) -> [Int] {
    if count >= limit { return Array(0..<limit) }
    return (0..<count).map { index in
      let width = limit / count
      let low = index * width + index * (limit % count) / count
      // Multiples of the golden ratio, modulo 1, are spread in any number of them.
      let place = (Double(draw * count + index + 1) * 0.618_033_988_749_895)
        .truncatingRemainder(dividingBy: 1)
      return low + Int(place * Double(width))
    }
  }

  /// What a coding made of a part of the sample.
  struct Outcome {
    fileprivate var decoded = 0
    fileprivate var stored = 0
    /// Of what is stored, what blocks of the fill value take that others could stand for.
    fileprivate var repeated = 0

    /// Whether storing one such block a chunk saves a percent.
    var repeatsPay: Bool { repeated * 100 > stored }
    /// What part of its size is left, with what is to be gained by that.
    var share: Double {
      Double(stored - (repeatsPay ? repeated : 0)) / Double(Swift.max(1, decoded))
    }

    fileprivate mutating func add(_ other: Outcome) {
      decoded += other.decoded
      stored += other.stored
      repeated += other.repeated
    }
  }

  /// Tries codings on a part of the sample.
  func outcomes(_ codings: [BlockCoding], _ part: Part) throws(HyperslabError) -> [Outcome] {
    let size = fill.dataType.byteCount
    var formats: [FrameFormat] = []
    for coding in codings {
      formats.append(
        try FrameFormat(
          elementByteCount: size, filter: coding.filter, chunkByteCount: chunkByteCount,
          blockByteCount: coding.blockByteCount))
    }
    let trials = formats
    let count = chunkCount(part)
    let totals = Mutex(Array(repeating: Outcome(), count: trials.count))
    try parallelLoop(
      count: trials.count * count, threads: Machine.processorCount, makeWorker: {},
      body: { (_, number) throws(HyperslabError) in
        let (chunk, trial) = number.quotientAndRemainder(dividingBy: trials.count)
        let outcome = try outcome(trials[trial], chunk, of: count, part)
        totals.withLock { $0[trial].add(outcome) }
      })
    return totals.withLock { $0 }
  }

  private func outcome(
    _ format: FrameFormat, _ chunk: Int, of count: Int, _ part: Part
  ) throws(HyperslabError) -> Outcome {
    let encoder = try FrameEncoder(format: format, level: level, fill: fill)
    let (copy, supply) = try chunks[chunk * chunks.count / count].open(chunkShape, format)
    let (numbers, others) = blocks(of: format, inChunk: chunk, of: count, part)
    var outcome = Outcome()
    var wanted = numbers.count
    for (position, block) in (numbers + others).enumerated() where wanted > 0 {
      let bytes = try unsafe encoder.bytes(ofBlock: block, copy, from: supply)
      let isFill = unsafe fill.fills(bytes)
      if !isFill { wanted -= 1 }
      // Looked for in place of others like it, they must not make those look more frequent.
      if isFill, position >= numbers.count { continue }
      let stored = try unsafe encoder.storedByteCount(ofBlock: block, copy, bytes)
      outcome.decoded += bytes.count
      outcome.stored += stored
      // A chunk of two such blocks is not stored at all.
      if isFill, format.blockCount > 2 { outcome.repeated += stored }
    }
    return outcome
  }

  private func chunkCount(_ part: Part) -> Int {
    switch part {
    case .spread: chunks.count
    case .window(_, let most): Swift.min(chunks.count, most)
    }
  }

  /// The blocks of a chunk to try, and more to take the place of those that tell nothing.
  private func blocks(
    of format: FrameFormat, inChunk chunk: Int, of chunks: Int, _ part: Part
  ) -> ([Int], others: [Int]) {
    let count = format.blockCount
    switch part {
    case .spread:
      return Self.spread(over: format, inChunk: chunk, of: chunks)
    case .window(let byteCount, _):
      let windows = Swift.max(1, format.chunkByteCount / byteCount)
      let window = chunk * (windows - 1) / Swift.max(1, chunks - 1)
      // Parts of a window are a few bytes more or less than it holds.
      let some = Swift.max(1, (byteCount + format.blockByteCount / 2) / format.blockByteCount)
      let first = window * some
      return (Array((first..<first + some).clamped(to: 0..<count)), [])
    }
  }

  private static func spread(
    over format: FrameFormat, inChunk chunk: Int, of chunks: Int
  ) -> ([Int], others: [Int]) {
    let some = Swift.min(format.blockCount, blockBudget / chunks)
    let numbers = numbers(some, of: format.blockCount, draw: chunk)
    let others = Self.numbers(mostLookedAt * some, of: format.blockCount, draw: chunk)
    return (numbers, others.filter { !numbers.contains($0) })
  }
}
