import HyperslabCodecs
import HyperslabCore

/// Where things stand in a store's directory (Spec, "Directory"). All names are computed.
enum StoreLayout {
  static let index = StorePath("slab.json")
  static let reserved = StorePath("__slab")
  static let lock = reserved / "lock"
  static let tables = reserved / "t"
  static let writers = reserved / "w"
  static let trash = reserved / "trash"
  static let lost = reserved / "lost"
  static let temporaryDerivedPrefix = "zarr.json.tmp"

  static func temporaryDerived(_ number: Int) -> StorePath {
    reserved / (number == 0 ? temporaryDerivedPrefix : "\(temporaryDerivedPrefix)-\(number)")
  }
  static func temporaryIndex(writer: String) -> StorePath { StorePath("slab.json.tmp-\(writer)") }
  static func oldIndex(commit: Int) -> StorePath { reserved / "root-\(commit)" }
  static func claim(commit: Int) -> StorePath { reserved / "claim-\(commit)" }
  /// The commit of an index that is kept under such a name; nil for another name.
  static func kept(_ name: String) -> Int? { number(name, after: "root-") }
  /// The commit that a claim of such a name is on; nil for another name.
  static func claimed(_ name: String) -> Int? { number(name, after: "claim-") }

  private static func number(_ name: String, after prefix: String) -> Int? {
    name.hasPrefix(prefix) ? coordinate(String(name.dropFirst(prefix.count))) : nil
  }

  /// The writer of an index being written under such a name; nil for another name.
  static func temporaryIndexWriter(_ name: String) -> String? {
    let prefix = "slab.json.tmp-"
    guard name.hasPrefix(prefix) else { return nil }
    let writer = String(name.dropFirst(prefix.count))
    return isIdentifier(writer) ? writer : nil
  }

  /// Whether a name in a writer's directory is one that writers give: numbers, dots and dashes.
  static func isStaged(_ name: String) -> Bool {
    let number = name.hasSuffix(".new") ? name.dropLast(4) : name[...]
    return !number.isEmpty && number.utf8.allSatisfy { "0123456789.-".utf8.contains($0) }
  }
  static func staging(writer: String) -> StorePath { writers / writer }
  static func writerLock(writer: String) -> StorePath { staging(writer: writer) / "lock" }

  /// What an operation has written for a data set's `c` since its last commit, under its session's number
  /// of the data set and its own of the batch.
  static func stagedChunks(writer: String, slot: Int, batch: Int) -> StorePath {
    staging(writer: writer) / "\(slot)-\(batch)"
  }

  /// A staged chunk, named below that as a fresh one will be below `c`.
  static func staged(writer: String, slot: Int, chunk: ChunkIndex, batch: Int) -> StorePath {
    stagedChunks(writer: writer, slot: slot, batch: batch) / chunk
  }

  /// A staged chunk that replaces a stored one once the commit stands.
  static func waiting(writer: String, slot: Int, chunk: ChunkIndex, batch: Int) -> StorePath {
    staging(writer: writer) / "\(slot)-\(chunk.key)-\(batch)"
  }

  /// The directory of a new data set that stands where one is removed: all of it, until the commit
  /// stands and it takes that place.
  static func incoming(writer: String, dataset id: Int) -> StorePath {
    staging(writer: writer) / "d\(id)"
  }

  /// An empty file in a directory that has yet to take its place, and shortly after. What is under the
  /// staged name without it is what stood there before.
  static let arrivalMark = "__slab-new"

  /// A staged chunk by which of the files written for it in its batch it is: 0 for the one with the name that
  /// a commit looks for, others where that was there, or on its way.
  static func staged(
    writer: String, slot: Int, chunk: ChunkIndex, batch: Int, copy: Int
  ) -> StorePath {
    copy == 0
      ? staged(writer: writer, slot: slot, chunk: chunk, batch: batch)
      : staging(writer: writer) / "\(slot)-\(chunk.key)-\(batch).\(copy)"
  }

  static func trash(dataset id: Int) -> StorePath { trash / "d\(id)" }

  static func run(_ directory: StorePath, _ reference: DatasetRecord.RunReference) -> StorePath {
    directory / runName(commit: reference.commit, crc: reference.crc)
  }

  static func runName(commit: Int, crc: UInt32) -> String {
    let number = String(commit)
    let zeros = String(repeating: "0", count: Swift.max(0, 6 - number.count))
    return "\(zeros)\(number)-\(CRC32C.hex(crc)).json"
  }

  static func node(_ path: NodePath) -> StorePath { StorePath(path.description) }
  static func zarr(_ path: NodePath) -> StorePath { node(path) / "zarr.json" }
  static func chunks(_ path: NodePath) -> StorePath { node(path) / "c" }

  /// Zarr v3's default chunk key: `c/0/1`; at rank 0 the file `c`.
  static func chunk(_ path: NodePath, _ chunk: ChunkIndex) -> StorePath { chunks(path) / chunk }

  /// The data set and chunk that a file stands for, if it is there and has such; no node is called `c`.
  static func chunkPlace(_ path: StorePath) -> (node: NodePath, chunk: ChunkIndex)? {
    // Most paths have none, and some have hundreds of names.
    let names = path.description.utf8.split(separator: UInt8(ascii: "/"))
    guard
      let mark = names.firstIndex(where: { $0.elementsEqual(CollectionOfOne(UInt8(ascii: "c"))) })
    else { return nil }
    let coordinates = names[(mark + 1)...].compactMap { coordinate(String(Substring($0))) }
    let end = names[mark].startIndex
    guard coordinates.count == names.count - mark - 1,
      let node = try? NodePath(String(Substring(path.description.utf8[..<end])))
    else { return nil }
    return (node, ChunkIndex(coordinates))
  }

  /// The grid coordinate that a name in a chunk directory stands for; nil where it is no chunk's.
  static func coordinate(_ name: String) -> Int? {
    guard let coordinate = Int(name), coordinate >= 0, "\(coordinate)" == name else { return nil }
    return coordinate
  }

  /// Whether a text can be a writer's or a store's identifier.
  static func isIdentifier(_ text: String) -> Bool {
    text.utf8.count == 32 && text.allSatisfy { $0.isHexDigit && !$0.isUppercase && $0.isASCII }
  }

  /// A new identifier: 128 random bits.
  static func newIdentifier() -> String {
    (0..<4).map { _ in CRC32C.hex(UInt32.random(in: .min ... .max)) }.joined()
  }
}

extension StorePath {
  /// A chunk below its data set's directory of chunks: one component an axis.
  static func / (path: StorePath, chunk: ChunkIndex) -> StorePath {
    chunk.coordinates.reduce(path) { $0 / String($1) }
  }
}

extension FileSystem {
  /// The identifiers of the writers that have a directory, living or dead.
  func writersWithDirectories() throws(HyperslabError) -> [String] {
    try list(StoreLayout.writers).compactMap {
      StoreLayout.isIdentifier($0.name) && $0.kind == .directory ? $0.name : nil
    }
  }
}
