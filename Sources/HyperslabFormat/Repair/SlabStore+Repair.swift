import HyperslabCodecs
public import HyperslabCore
public import SystemPackage

extension SlabStore {
  /// Puts a damaged store in order: finishes interrupted commits, restores what the rest of the
  /// store proves, and gives up the rest.
  ///
  /// Chunks whose file is missing or damaged become never written; whatever is given up is moved to
  /// `__slab/lost`, nothing damaged is deleted. Every other value stays as it is. May be interrupted
  /// and run again; on a sound store it does nothing.
  ///
  /// - Throws: `locked` while a writer is at work, naming it; `index` where nothing is left to go by,
  ///   and `not_a_store`, `unsupported_version`, `unsupported_feature`, all with the store untouched;
  ///   `io`, `no_space`.
  @discardableResult
  public static func repair(
    _ path: FilePath, threads: Int? = nil
  ) throws(HyperslabError) -> RepairReport {
    let files = try LocalFileSystem(root: path)
    return try repair(files, threads: threads ?? Machine.processorCount)
  }

  /// Repairs the store below a root of any file system.
  static func repair(
    _ files: any FileSystem, threads: Int
  ) throws(HyperslabError) -> RepairReport {
    var repairer = Repairer(files: files, threads: threads)
    try repairer.run()
    return repairer.report
  }
}
