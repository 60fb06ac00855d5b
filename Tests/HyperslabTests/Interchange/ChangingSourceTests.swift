import Foundation
import Hyperslab
import Synchronization
import SystemPackage
import Testing

/// Files that somebody changes while they are read: always an error, never a signal, never a mixture.
@Suite struct ChangingSourceTests {
  private let directory: TemporaryDirectory
  /// 4 MB a buffer. One waits for the commit of the first, and at most 16 MiB more share the next.
  private static let rows = 12_000
  private static let columns = 2_000

  init() throws { directory = try TemporaryDirectory() }

  private enum Change: CaseIterable {
    case truncated, emptied, grown, rewritten, replaced
  }

  /// Numbers that do not compress, so that a write takes its time.
  private static let noise: Data = {
    let device = FileHandle(forReadingAtPath: "/dev/urandom")
    return (try? device?.read(upToCount: 2 * rows * columns)) ?? Data()
  }()

  private func source() throws -> (FilePath, RawFile) {
    let path = directory.path.appending("\(UUID().uuidString).bin")
    try Self.noise.write(to: URL(fileURLWithPath: path.string))
    let file = try RawFile(path, type: NumPyType(.int16), shape: [Self.rows, Self.columns])
    return (path, file)
  }

  private static func make(
    _ change: Change, to path: FilePath, in directory: FilePath
  ) throws {
    let handle = try #require(FileHandle(forUpdatingAtPath: path.string))
    defer { try? handle.close() }
    switch change {
    case .truncated: try handle.truncate(atOffset: 30_000_000)
    case .emptied: try handle.truncate(atOffset: 0)
    case .grown:
      try handle.seekToEnd()
      try handle.write(contentsOf: Data(repeating: 1, count: 2 * Self.columns))
    case .rewritten:
      try handle.seek(toOffset: 40_000_000)
      try handle.write(contentsOf: Data(repeating: 1, count: 100))
    case .replaced:
      let other = directory.appending("other.bin")
      try Data([1, 2, 3]).write(to: URL(fileURLWithPath: other.string))
      try #require(rename(other.string, path.string) == 0)
    }
  }

  @Test func aChangeDuringAWriteEndsIt() throws {
    for change in Change.allCases {
      let (path, file) = try source()
      let iterator = try GenericDataChunkIterator(
        file, bufferShape: [1000, Self.columns], chunkShape: [500, 1000])
      let place = directory.path.appending("\(change).slab")
      let store = try SlabStore.create(at: place)
      let isDone = Mutex(false)
      let refusal = #expect(throws: HyperslabError.self, "\(change)") {
        try store.write(iterator, to: "x") { [directory = directory.path] _ in
          let isFirst = isDone.withLock { isDone in
            defer { isDone = true }
            return !isDone
          }
          if isFirst { try? Self.make(change, to: path, in: directory) }
        }
      }
      #expect(refusal?.code == .sourceChanged, "\(change)")
      #expect(refusal?.expected?.contains("48000000 bytes") ?? false)
      try store.close()
      #expect(try SlabStore.verify(place).ok)
    }
  }

  @Test func aSourceThatLosesItsNameIsReadToItsEnd() throws {
    let (path, file) = try source()
    let iterator = try GenericDataChunkIterator(
      file, bufferShape: [4000, Self.columns], chunkShape: [1000, 1000])
    let store = try SlabStore.create(at: directory.path.appending("n.slab"))
    try store.write(iterator, to: "x") { _ in unlink(path.string) }
    #expect(try store.dataset("x").readBytes().bytes == Array(Self.noise))
    try store.close()
  }

  @Test func aChangeEndsIterationToo() throws {
    for change in Change.allCases {
      let (path, file) = try source()
      let iterator = try GenericDataChunkIterator(
        file, bufferShape: [1000, Self.columns], chunkShape: [500, 1000])
      _ = try iterator.next()
      try Self.make(change, to: path, in: directory.path)
      let next = #expect(throws: HyperslabError.self) { try iterator.next() }
      #expect(next?.code == .sourceChanged, "\(change)")
      let each = #expect(throws: HyperslabError.self) { try iterator.forEachBuffer { _, _ in } }
      #expect(each?.code == .sourceChanged, "\(change)")
      #expect(file.fingerprint == nil, "\(change)")
    }
  }

  /// At whatever moment it comes.
  @Test func aTruncationAtAnyMomentIsAnErrorOrTooLate() throws {
    var found: Set<HyperslabError.Code?> = []
    for round in 0..<6 {
      let (path, file) = try source()
      let iterator = try GenericDataChunkIterator(
        file, bufferShape: [1000, Self.columns], chunkShape: [500, 1000])
      let thread = Thread {
        Thread.sleep(forTimeInterval: 0.02 * Double(round * round))
        truncate(path.string, 1_000_003)
      }
      thread.start()
      let store = MemoryStore()
      do {
        let dataset = try store.write(iterator, to: "x")
        #expect(try dataset.readBytes().bytes == Array(Self.noise))
        found.insert(nil)
      } catch {
        #expect(error.code == .sourceChanged)
        found.insert(error.code)
      }
    }
    #expect(found.contains(.sourceChanged))
  }
}
