public import HyperslabCore
public import SystemPackage

extension SlabStore {
  /// Takes in what other programs wrote into a store as if it were a Zarr hierarchy: attributes,
  /// arrays that were appended to, chunks, new groups and arrays.
  ///
  /// All that is sound and that this format can hold becomes part of the store, in one commit; whatever
  /// is not is named in the report and stays as it is. A node is taken with all that was changed about
  /// it, or left.
  ///
  /// - Parameters:
  ///   - path: The store.
  ///   - patience: How long another writer is waited for.
  /// - Throws: what opening a store for writing and ``commit()`` throw, with nothing taken.
  @discardableResult
  public static func adopt(
    _ path: FilePath, patience: Duration = .seconds(60)
  ) throws(HyperslabError) -> AdoptionReport {
    var attempts = 0
    while true {
      let store = try SlabStore(
        path: path, files: try LocalFileSystem(root: path), mode: .readWrite, durability: .full,
        patience: patience, refusesForeign: false)
      var adopter = try Adopter(store: store)
      do throws(HyperslabError) {
        try adopter.run()
        return adopter.report
      } catch {
        // Nothing of it is to be committed.
        try? store.reload()
        try? store.close()
        attempts += 1
        guard error.code == .conflict, !adopter.isCommitted, attempts < 5 else { throw error }
      }
    }
  }
}
