import Foundation
import HyperslabCodecs
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// What others put into a store: nothing of it is lost without a word, whatever is done to the store.
@Suite struct ForeignFileTests {
  private let directory: TemporaryDirectory
  private var path: FilePath { directory.path.appending("x.slab") }

  init() throws {
    directory = try TemporaryDirectory()
    try Patient.write(at: path)
  }

  private func put(_ text: String, _ name: String) throws {
    let file = path.appending(name)
    try FileManager.default.createDirectory(
      atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
    try write(Array(text.utf8), to: file)
  }

  private func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: path.appending(name).string)
  }

  /// All files of a store by what is in them.
  private func places(of text: String) throws -> [String] {
    let bytes = Array(text.utf8)
    return try directory.files(in: path).filter { try contents(path.appending($0)) == bytes }
  }

  /// A chunk as another program leaves it: a Blosc buffer of bytes stored as they are, and its sum.
  static func anothersChunk(_ bytes: [UInt8], elementByteCount: UInt8) -> [UInt8] {
    func word(_ value: Int) -> [UInt8] {
      withUnsafeBytes(of: UInt32(value).littleEndian) { Array($0) }
    }
    let body =
      [2, 1, 0x03, elementByteCount] + word(bytes.count) + word(bytes.count)
      + word(bytes.count + 16)
      + bytes
    return body + word(Int(CRC32C.of(body)))
  }

  private static let writer = "0123456789abcdef0123456789abcdef"

  /// Places where something may be put, with names that look like the store's own.
  private static let names = [
    "notes.txt", "src/c/main.c", "src/c/0", "g/notes.txt", "g/c/0", "g/c/main.c", "line/notes.txt",
    "line/c/readme", "line/c/7", "line/c/99", "line/c/7x/0", "g/plane/c/0/99", "g/plane/c/9/notes",
    "slab.json.tmp-notes", "slab.json.bak", "mine/zarr.json", "mine/c/0/0", "mine/.zattrs",
    "__slab/notes.txt", "__slab/claim-notes", "__slab/claim-1", "__slab/claim-999",
    "__slab/root-notes", "__slab/root-1", "__slab/root-999", "__slab/t/notes.txt",
    "__slab/t/d0/notes.txt", "__slab/t/d0/000001-00c0ffee.json", "__slab/t/d0/000999-00c0ffee.json",
    "__slab/w/notes.txt", "__slab/w/notes/a.txt", "__slab/w/\(writer)/notes.txt",
    "__slab/w/\(writer)/0-0/notes.txt", "__slab/trash/notes.txt", "__slab/trash/d0/notes.txt",
    "__slab/trash/d77/0/1", "__slab/lost/notes.txt", ".hidden-notes", "ordner/leer/notiz.txt",
  ]

  private enum Verb: CaseIterable {
    case commit, createAndRemove, verify, repair, open

    func run(_ path: FilePath) throws {
      switch self {
      case .open: try SlabStore.open(path, mode: .readWrite).close()
      case .commit:
        let store = try SlabStore.open(path, mode: .readWrite)
        try store.dataset("line").put(0, 5)
        try store.setAttribute("turn", 1, of: .root)
        try store.close()
      case .createAndRemove:
        let store = try SlabStore.open(path, mode: .readWrite)
        try store.createDataset("fleeting", row(chunks: 2)).put(1, 5)
        try store.commit()
        try store.remove(NodePath("fleeting"))
        try store.close()
      case .verify: _ = try SlabStore.verify(path)
      case .repair: try SlabStore.repair(path)
      }
    }
  }

  /// Every verb after every other.
  @Test func nothingIsLostWhateverIsDone() throws {
    let texts = Dictionary(uniqueKeysWithValues: Self.names.map { ($0, "somebody's own: \($0)\n") })
    for first in Verb.allCases {
      for second in Verb.allCases {
        try? remove(path)
        try Patient.write(at: path)
        let before = Patient.contents(path)
        for (name, text) in texts { try put(text, name) }
        for verb in [first, second] {
          do { try verb.run(path) } catch let error as HyperslabError {
            // A claim of a living writer is refused, not broken.
            #expect(error.code == .locked, "\(first), \(second): \(error)")
          }
        }
        let all = Set(try directory.files(in: path).map { try contents(path.appending($0)) })
        for (name, text) in texts {
          #expect(all.contains(Array(text.utf8)), "\(first), \(second): \(name) is gone")
        }
        let after = Patient.contents(path)
        for (name, chunks) in before {
          for (chunk, value) in chunks where name != "line" || chunk != [0] {
            #expect(after[name]?[chunk] == value, "\(first), \(second): \(name) \(chunk)")
          }
        }
      }
    }
  }

  /// What repair moves it names; what stays it names, too.
  @Test func everythingIsNamed() throws {
    for name in Self.names where !name.hasPrefix("__slab/lost/") {
      try? remove(path)
      try Patient.write(at: path)
      let text = "somebody's own: \(name)\n"
      try put(text, name)
      let found = try SlabStore.verify(path)
      let isNamed = found.problems.contains { name == $0.path || name.hasPrefix("\($0.path)/") }
      let isLeftOver = found.leftovers.contains { name == $0 || name.hasPrefix("\($0)/") }
      #expect(isNamed || isLeftOver, "\(name): \(found)")
      let report = try SlabStore.repair(path, threads: 1)
      let places = try places(of: text)
      #expect(places.count == 1, "\(name): \(places)")
      let isTold =
        report.remaining.contains { name == $0.path || name.hasPrefix("\($0.path)/") }
        || report.actions.contains { name == $0.path || name.hasPrefix("\($0.path)/") }
      #expect(isTold, "\(name): \(report)")
      #expect(
        places == [name] || places.first?.hasPrefix("__slab/lost/") == true, "\(name): \(places)")
      #expect(try !SlabStore.repair(path, threads: 1).changed, "\(name)")
    }
  }

  @Test func aSourceTreeInAStoreStays() throws {
    try put("x\n", "src/c/main.c")
    #expect(try SlabStore.verify(path).problems.map(\.path) == ["src"])
    let report = try SlabStore.repair(path)
    #expect(!report.changed && !report.ok)
    #expect(report.remaining.map(\.kind) == [.foreign])
    #expect(exists("src/c/main.c"))
  }

  @Test func anotherProgramsArrayStaysAndTheWayOutIsTold() throws {
    let document = """
      {
        "shape": [
          4
        ],
        "data_type": "int32",
        "zarr_format": 3,
        "node_type": "array"
      }
      """
    try put(document, "mine/zarr.json")
    try put("a chunk of theirs", "mine/c/0")
    let report = try SlabStore.repair(path)
    #expect(!report.changed)
    #expect(report.remaining.map(\.path) == ["mine"])
    #expect(report.remaining.first?.detail.contains("slab adopt") == true)
    #expect(exists("mine/zarr.json") && exists("mine/c/0"))
    // Nor does a data set of ours take its place.
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.createDataset("mine", row(chunks: 1)).put(0, 1)
    expectError(.foreign) { try store.commit() }
    #expect(exists("mine/c/0"))
    #expect(try places(of: "a chunk of theirs") == ["mine/c/0"])
  }

  /// A chunk that another program wrote over one of the store's is not given up: it can be taken in.
  @Test func aChunkThatAnotherProgramWroteStays() throws {
    let before = Patient.contents(path)
    let chunk = path.appending("g/waves/c/1/0")
    let theirs = Self.anothersChunk((0..<80).map { UInt8($0) }, elementByteCount: 4)
    try write(theirs, to: chunk)
    // One more beyond the array.
    try put("", "g/waves/c/3/0")
    try write(theirs, to: path.appending("g/waves/c/3/0"))
    for quick in [true, false] {
      let found = try SlabStore.verify(path, quick: quick)
      #expect(found.problems.map(\.path) == ["g/waves/c/1/0", "g/waves/c/3/0"])
      #expect(found.problems.allSatisfy { $0.kind == .foreign && $0.detail.contains("slab adopt") })
    }
    let report = try SlabStore.repair(path)
    #expect(!report.changed, "\(report.actions)")
    #expect(report.remaining.map(\.path) == ["g/waves/c/1/0", "g/waves/c/3/0"])
    #expect(try contents(chunk) == theirs)
    let after = Patient.contents(path)
    #expect(after["g/waves"]?[[1, 0]] == nil)
    #expect(after["g/waves"]?[[0, 0]] == before["g/waves"]?[[0, 0]])
  }
}
