import HyperslabCodecs
import HyperslabCore

// The kept older indexes.

extension Verifier {
  /// The two indexes before the newest, and the runs that they list, are what repair would fall back
  /// to; nothing is known of how many there should be when the newest cannot be read.
  mutating func checkOldIndexes(newest: StoreIndex?) {
    var sound: [StoreIndex] = []
    var found: Set<Int> = []
    for entry in (try? files.list(StoreLayout.reserved)) ?? [] where entry.name.hasPrefix("root-") {
      let path = StoreLayout.reserved / entry.name
      expected.insert(path)
      if let commit = Int(entry.name.dropFirst(5)) {
        if let newest, !newest.keptCommits.contains(commit) {
          // A power cut brought it back, or kept the commit away after it.
          report.leftovers.append("\(path)")
          continue
        }
        found.insert(commit)
      }
      do throws(HyperslabError) {
        let bytes = try files.contents(path, limit: StoreIndex.maximumFileByteCount)
        let old = try StoreIndex(bytes, place: "\(path)")
        guard entry.name == "root-\(old.commit)" else {
          throw HyperslabError(.damagedIndex, "an index of commit \(old.commit) under this name")
        }
        sound.append(old)
      } catch { add("\(path)", .index, error) }
    }
    expected.insert(StoreLayout.lock)
    switch (try? files.status(StoreLayout.lock)) ?? nil {
    case nil:
      add("\(StoreLayout.lock)", .missing, HyperslabError(.missing, "the lock file is not there"))
    case .some(let status) where status.kind != .file:
      add("\(StoreLayout.lock)", .foreign, HyperslabError(.foreign, "the lock is no file"))
    default: break
    }
    guard let newest else { return }
    for commit in newest.keptCommits where !found.contains(commit) {
      add(
        "\(StoreLayout.oldIndex(commit: commit))", .missing,
        HyperslabError(.missing, "the index kept of commit \(commit) is not there"))
    }
    checkRuns(of: sound, beyond: newest)
  }

  /// Runs that only kept older indexes list.
  private mutating func checkRuns(of older: [StoreIndex], beyond newest: StoreIndex) {
    var known = Set(
      newest.datasets.flatMap { _, record in
        record.runs.map { StoreLayout.run(record.tableDirectory, $0) }
      })
    for (_, record) in older.flatMap(\.datasets) {
      for reference in record.runs {
        let file = StoreLayout.run(record.tableDirectory, reference)
        guard known.insert(file).inserted else { continue }
        expected.insert(file)
        let bytes = try? files.contents(file, limit: StoreIndex.maximumFileByteCount)
        if let bytes, bytes.count == reference.byteCount, CRC32C.of(bytes) == reference.crc {
          continue
        }
        add(
          "\(file)", .table,
          HyperslabError(.damagedTable, "a run that a kept older index lists is missing or damaged")
        )
      }
    }
  }
}
