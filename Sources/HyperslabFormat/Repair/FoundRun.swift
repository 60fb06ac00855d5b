import HyperslabCodecs
import HyperslabCore

/// A run as its own file tells of it, where no index does.
struct FoundRun {
  let dataset: Int
  let path: NodePath
  let store: String
  let reference: DatasetRecord.RunReference

  /// Every sound run on the disk, oldest first; one that lacks a single bit counts as sound.
  static func all(in files: any FileSystem) throws(HyperslabError) -> [FoundRun] {
    var result: [FoundRun] = []
    guard try files.status(StoreLayout.tables)?.kind == .directory else { return [] }
    for directory in try files.list(StoreLayout.tables) where directory.kind == .directory {
      guard let id = DatasetRecord.id(directory.name) else { continue }
      let table = StoreLayout.tables / directory.name
      for entry in try files.list(table) where entry.kind == .file {
        let bytes: [UInt8]
        do {
          bytes = try files.contents(
            table / entry.name, limit: StoreIndex.maximumFileByteCount)
        } catch {
          guard error.isDamage else { throw error }
          continue
        }
        if let run = try? FoundRun(bytes, named: entry.name, dataset: id) { result.append(run) }
      }
    }
    return result.sorted {
      ($0.reference.commit, $0.dataset, $0.reference.low)
        < ($1.reference.commit, $1.dataset, $1.reference.low)
    }
  }

  /// Reads what the file says of itself; its rows are read later, by its reference.
  private init(_ bytes: [UInt8], named name: String, dataset: Int) throws(HyperslabError) {
    let parts = name.dropLast(5).split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let commit = Int(parts[0]), let crc = UInt32(parts[1], radix: 16),
      name == StoreLayout.runName(commit: commit, crc: crc),
      let sound = Correction.of(bytes, crc: crc)?.bytes, SelfCheck.holds(sound)
    else { throw HyperslabError(.damagedTable, "no run", at: name) }
    let value: JSONText
    do { value = try JSONText(checking: sound, depthLimit: 32) } catch {
      throw HyperslabError(.damagedTable, "not readable", at: name)
    }
    var fields = try JSONFields(value, place: name, code: .damagedTable)
    store = try fields.string("store")
    guard try fields.string("dataset") == "d\(dataset)", try fields.count("commit") == commit,
      let path = try? NodePath(try fields.string("path"))
    else { throw HyperslabError(.damagedTable, "of another data set", at: name) }
    self.path = path
    self.dataset = dataset
    let numbering = try fields.numbering("grid")
    let ranges = try fields.ranges("id")
    guard let low = ranges.first?.lowerBound, let high = ranges.last?.upperBound else {
      throw HyperslabError(.damagedTable, "no rows", at: name)
    }
    reference = .init(
      commit: commit, crc: crc, byteCount: sound.count, numbering: numbering, low: low,
      high: high - 1, rows: ranges.reduce(0) { $0 + $1.count })
  }
}
