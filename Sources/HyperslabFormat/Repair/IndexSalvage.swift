import HyperslabCore

/// Finds an index where `slab.json` is lost. Changes nothing.
struct IndexSalvage {
  let files: any FileSystem
  let failure: HyperslabError

  func run() throws(HyperslabError) -> Repairer.FoundIndex {
    var numbers: [Int] = []
    var newest: StoreIndex?
    for entry in try files.list(StoreLayout.reserved) where entry.name.hasPrefix("root-") {
      if let number = Int(entry.name.dropFirst(5)) { numbers.append(number) }
      guard entry.kind == .file else { continue }
      let bytes: [UInt8]
      do {
        bytes = try files.contents(
          StoreLayout.reserved / entry.name, limit: StoreIndex.maximumFileByteCount)
      } catch {
        guard error.isDamage else { throw error }
        continue
      }
      let index =
        (try? StoreIndex(bytes, place: entry.name))
        ?? BitCorrection.selfChecked(bytes).flatMap { try? StoreIndex($0, place: entry.name) }
      if let index, entry.name == "root-\(index.commit)", index.isWritable,
        index.commit > newest?.commit ?? -1
      {
        newest = index
      }
    }
    guard let newest else { throw failure }
    return Repairer.FoundIndex(
      index: newest, nextCommit: Swift.max(numbers.max() ?? 0, newest.commit) + 2, isRebuilt: true,
      origin: "taken from __slab/root-\(newest.commit)")
  }
}
