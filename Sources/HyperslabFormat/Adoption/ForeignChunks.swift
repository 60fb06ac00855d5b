import HyperslabCodecs
import HyperslabCore
import Synchronization

/// The chunk files of an array, as whoever wrote them left them.
struct ForeignChunks {
  /// What lies in the directory of an array's chunks.
  struct Inventory {
    /// Chunks that have a file, in C order.
    var chunks: [ChunkIndex] = []
    /// What stands where a chunk or a directory of chunks would, and is neither: links, pipes, devices.
    var odd: [StorePath] = []
  }

  /// What a chunk's file holds.
  struct Contents {
    let file: [UInt8]
    /// The elements of the whole chunk, also of what lies beyond the array.
    let elements: [UInt8]
  }

  /// How much chunks may stand for, all together, beyond what LZ4 makes of bytes. Files in which one block stands
  /// for many are what this store's own programs write where most is the fill value.
  final class Allowance: Sendable {
    private let left = Mutex(128 << 20)

    func take(_ byteCount: Int, of file: Int) -> Bool {
      left.withLock { left in
        left += 768 * file - byteCount
        return left >= 0
      }
    }
  }

  let files: any FileSystem
  let path: NodePath
  let description: DatasetDescription
  let grid: ChunkGrid
  let chain: ForeignArray.Chain
  let allowance: Allowance

  /// As large may chunks be of which a small file repeats one block: those are decoded as a whole.
  private static let repeatedByteCount = 64 << 20

  func inventory() throws(HyperslabError) -> Inventory {
    var found = Inventory()
    var waiting: [(place: StorePath, coordinates: [Int])] = [(StoreLayout.chunks(path), [])]
    while let (place, coordinates) = waiting.popLast() {
      guard let kind = try files.status(place)?.kind else { continue }
      if kind == .other {
        found.odd.append(place)
      } else if coordinates.count == grid.rank {
        if kind == .file { found.chunks.append(ChunkIndex(coordinates)) }
      } else if kind == .directory {
        for entry in try files.list(place) {
          guard let coordinate = StoreLayout.coordinate(entry.name),
            (0..<grid.gridShape[coordinates.count]).contains(coordinate)
          else { continue }
          waiting.append((place / entry.name, coordinates + [coordinate]))
        }
      }
    }
    found.chunks.sort { $0.coordinates.lexicographicallyPrecedes($1.coordinates) }
    found.odd.sort { $0.description.precedesBytewise($1.description) }
    return found
  }

  /// A chunk's contents; nil where they are not what the codecs make.
  func contents(of chunk: ChunkIndex) throws(HyperslabError) -> Contents? {
    guard let count = description.chunkShape.elementCount else { return nil }
    let size = count * description.dataType.byteCount
    do throws(HyperslabError) {
      // No codec of these makes more of it than this.
      let limit = 2 * size + (1 << 20)
      let place = StoreLayout.chunk(path, chunk)
      guard try files.status(place)?.byteCount ?? 0 <= limit else { return nil }
      let file = try files.contents(place, limit: limit)
      // As for those bytes: what they are decoded to and by way of.
      _ = try ElementBuffer(allocating: 2 * size)
      // LZ4 makes at most 255 bytes of one. More are the same block again and again, as where nothing is
      // but the fill value.
      if chain.blosc != nil, size / 256 > file.count {
        guard size <= Self.repeatedByteCount, allowance.take(size, of: file.count) else {
          return nil
        }
      }
      return ForeignArray.decoded(file, chain, byteCount: size).map {
        Contents(file: file, elements: $0)
      }
    } catch {
      guard error.isDamage else { throw error }
      return nil
    }
  }

  /// Whether a chunk has values beyond the end of the array, which a store does not keep.
  func reachesBeyond(_ contents: Contents, _ chunk: ChunkIndex) -> Bool {
    let rows = EdgeRows(grid, chunk)
    if rows.areAllValid { return false }
    let size = description.dataType.byteCount
    var isClean = true
    unsafe contents.elements.withUnsafeBytes { bytes in
      rows.forEachRun(in: 0..<bytes.count / size) { run, isValid in
        guard !isValid, isClean else { return }
        isClean = unsafe description.fillValue.fills(
          UnsafeRawBufferPointer(rebasing: bytes[run.lowerBound * size..<run.upperBound * size]))
      }
    }
    return !isClean
  }
}
