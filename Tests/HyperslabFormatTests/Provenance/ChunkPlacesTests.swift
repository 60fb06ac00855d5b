import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// A chunk takes its name only from the chunk that the store knows there.
@Suite struct ChunkPlacesTests {
  private let directory: TemporaryDirectory
  private let path: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
    let store = try SlabStore.create(at: path)
    var description = row(chunks: 2)
    description.maximumShape = [nil]
    let dataset = try store.createDataset(try NodePath("a"), description)
    try dataset.put(0, 1)
    try dataset.put(1, 2)
    try store.close()
  }

  private func lost() throws -> [String] {
    let place = path.appending("__slab/lost").string
    guard FileManager.default.fileExists(atPath: place) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: place)
  }

  private func lostContents() throws -> [[UInt8]] {
    try lost().map { try contents(path.appending("__slab/lost").appending($0)) }
  }

  private func another(_ value: Int32) throws -> [UInt8] {
    let other = directory.path.appending("other\(value).slab")
    let store = try SlabStore.create(at: other)
    try store.createDataset(try NodePath("a"), row(chunks: 2)).put(0, value)
    try store.close()
    return try contents(other.appending("a/c/0"))
  }

  enum Thing: CaseIterable { case link, pipe, directory, file, sealed }

  private func put(_ thing: Thing, at place: FilePath) throws {
    switch thing {
    case .link:
      try FileManager.default.createSymbolicLink(
        atPath: place.string, withDestinationPath: "/etc/hostname")
    case .pipe: #expect(mkfifo(place.string, 0o600) == 0)
    case .directory:
      try FileManager.default.createDirectory(
        atPath: place.string, withIntermediateDirectories: false)
      try write([1], to: place.appending("theirs"))
    case .file: try write(Array("theirs".utf8), to: place)
    case .sealed: try write(try another(7), to: place)
    }
  }

  /// What stands where a fresh chunk goes stays there, whatever it is: whoever moved it away before the commit
  /// and were killed would leave nothing in its place.
  @Test(arguments: Thing.allCases)
  func inTheWayOfAFreshChunk(_ thing: Thing) throws {
    try put(thing, at: path.appending("a/c/2"))
    let store = try SlabStore.open(path, mode: .readWrite)
    let longer = try store.dataset("a").resized(to: [3 * row(chunks: 1).shape[0]])
    try longer.put(2, 3)
    expectError(.foreign) { try store.close() }
    #expect(try lost() == [])
    #expect(FileManager.default.attributesExist(path.appending("a/c/2")))
    // The ways out lead out.
    if thing == .sealed {
      try SlabStore.repair(path)
      #expect(try lost().count == 1)
    } else {
      try FileManager.default.removeItem(atPath: path.appending("a/c/2").string)
    }
    let again = try SlabStore.open(path, mode: .readWrite)
    try again.dataset("a").resized(to: [3 * row(chunks: 1).shape[0]]).put(2, 3)
    try again.close()
    #expect(try SlabStore.verify(path).ok)
  }

  /// What another program writes after a chunk was staged, and before the commit replaces it.
  @Test(arguments: Thing.allCases)
  func inThePlaceOfAChunkThatIsReplaced(_ thing: Thing) throws {
    let place = path.appending("a/c/0")
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.dataset("a").put(0, 5)
    try FileManager.default.removeItem(atPath: place.string)
    try put(thing, at: place)
    try store.close()
    #expect(try lost().count == 1)
    #expect(try SlabStore.verify(path).ok)
    #expect(try SlabStore.open(path).dataset("a").read(Int32.self, [0...]).elements.first == 5)
  }

  @Test func aChunkThatIsDroppedAndNoneOfOurs() throws {
    let theirs = try another(8)
    try write(theirs, to: path.appending("a/c/1"))
    let store = try SlabStore.open(path, mode: .readWrite)
    _ = try store.dataset("a").resized(to: row(chunks: 1).shape)
    try store.close()
    #expect(try lostContents() == [theirs])
  }

  @Test func ownChunksAreReplacedAndDroppedWithoutAWord() throws {
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.dataset("a").put(0, 5)
    try store.commit()
    _ = try store.dataset("a").resized(to: row(chunks: 1).shape)
    try store.close()
    #expect(try lost() == [])
    #expect(try SlabStore.verify(path).ok)
  }

  /// A name of a kept index that somebody else uses.
  @Test(arguments: [Thing.file, .pipe, .link, .directory])
  func inThePlaceOfAKeptIndex(_ thing: Thing) throws {
    let commit = try SlabStore.open(path).commitNumber
    try put(thing, at: path.appending("__slab/root-\(commit + 3)"))
    for number in 0..<6 {
      let store = try SlabStore.open(path, mode: .readWrite)
      try store.setAttribute("n", .integer(number), of: try NodePath("a"))
      try store.close()
    }
    #expect(try lost().count == 1)
    #expect(try SlabStore.verify(path).ok)
  }

  /// What was taken in may be replaced, and what was written to its name since is kept.
  @Test(arguments: [false, true])
  func whatWasTakenIn(isChanged: Bool) throws {
    let files = try LocalFileSystem(root: path)
    let (place, new) = (StorePath("a/c/0"), StorePath("new"))
    // Files that end in their own CRC, as chunks do, have all the same.
    var theirs = try another(1)
    try write(theirs, to: path.appending("a/c/0"))
    var places = ChunkPlaces(files: files)
    places.taken.insert(place, holding: theirs)
    if isChanged {
      theirs = try another(2)
      try write(theirs, to: path.appending("a/c/0"))
    }
    try write([1], to: path.appending("new"))
    try places.replace(place, with: new, rows: [])
    #expect(try lostContents() == (isChanged ? [theirs] : []))
    #expect(try contents(path.appending("a/c/0")) == [1])
  }

  /// Read by pieces, a file has the digest that its bytes have as a whole.
  @Test(arguments: [0, 1, 7, 1 << 20, 3 << 20 | 5])
  func digestsDoNotDependOnPieces(byteCount: Int) throws {
    let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    try write(bytes, to: path.appending("file"))
    let files = try LocalFileSystem(root: path)
    #expect(try FileDigest.of(StorePath("file"), in: files) == FileDigest(bytes))
    if let last = bytes.last {
      #expect(FileDigest(bytes.dropLast() + [last ^ 1]) != FileDigest(bytes))
    }
  }
}

extension FileManager {
  /// Whether there is something, a link to nothing, too.
  fileprivate func attributesExist(_ path: FilePath) -> Bool {
    (try? attributesOfItem(atPath: path.string)) != nil
  }
}
