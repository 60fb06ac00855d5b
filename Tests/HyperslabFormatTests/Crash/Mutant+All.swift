@testable import HyperslabFormat

extension Mutant {
  /// Where everything is made permanent in one call, that call must be made, and before what depends
  /// on it. One for staged chunks alone makes no difference where another follows for directories.
  static let ofCommitsTogether: [Mutant] = [
    .without("making everything permanent") { operation, _ in operation.kind == .synchronizeAll },
    .without("making fresh chunks permanent together") {
      $0.kind == .synchronizeAll && $1 == .prepare
    },
    .late(
      "everything permanent after the commit",
      { operation, _ in operation.kind == .synchronizeAll }, after: isCommitted),
  ]

  /// Where files are made permanent in one call, their directories' names are, too, but not where those
  /// are moved to.
  static let ofMovedDirectories: [Mutant] = [
    .without("making many fresh chunks permanent") { operation, _ in
      operation.kind == .synchronizeAll
    },
    .without("fsync of where directories of fresh chunks went") {
      $1 == .prepare && $0.syncsChunkDirectory
    },
  ]

  /// Mistakes of a writer who commits, looked for after one power cut.
  ///
  /// Not among them, since nothing can come of them:
  /// * fresh chunks and runs in the other order: both are named by nothing before the index is;
  /// * the old index linked before or after those: it is needed by repair, once the new one stands;
  /// * fsync of `__slab/w` at creation: it is empty, and its own name is made sure by `__slab`'s;
  /// * claims, the lock's text and derived files, which are never fsynced: no data depends on them;
  /// * fsync of the trash left out or late, and the trash emptied before the index forgets it: whoever
  ///   settles sees by the successor's staged files whether its chunks are in place, and takes them
  ///   for the old ones no more; at worst the old files come back and lie there unlisted;
  /// * staged directories that were emptied removed before their chunks' names are fsynced: a power cut
  ///   then takes what no index lists yet;
  /// * the claim removed before the overwrites are placed: it guards against writers, not the power.
  static let ofCommits: [Mutant] = [
    .without("fsync of staged chunks") { operation, _ in operation.syncsStagedChunk },
    .without("fsync of directories of chunks") { operation, _ in operation.syncsChunkDirectory },
    .without("fsync of directories of fresh chunks") {
      $1 == .prepare && $0.syncsChunkDirectory
    },
    .without("fsync of data sets' and groups' directories") { operation, _ in operation.syncsNode },
    .without("fsync of staging directories") { operation, _ in operation.syncsStaging },
    .without("fsync of the directory of writers") { operation, _ in operation.syncsWriters },
    .without("fsync of the store's own directory") { operation, _ in operation.syncsReserved },
    .without("fsync of runs") { operation, _ in operation.syncsRun },
    .without("fsync of directories of runs") { operation, _ in operation.syncsRunDirectory },
    .without("fsync of the directory of tables") { operation, _ in operation.syncsTables },
    .without("fsync of the index") { operation, _ in operation.syncsIndex },
    .without("fsync of the root directory") { operation, _ in operation.syncsRoot },
    .without("fsync of the root directory after the rename") { $1 == .publish && $0.syncsRoot },
    .without("fsync of what an older commit left") { $1 == .settle && $0.syncsChunkDirectory },
    .without("fsync of a new store's index") {
      operation, _ in operation.kind == .synchronize && operation.isOfNewStore
    },
    .without("fsync of a new store's directories") {
      operation, _ in operation.kind == .synchronizeDirectory && operation.isOfNewStore
    },
    .without("fsync of the directory that a new store is in") {
      operation, _ in operation.syncsParent
    },
    .late(
      "staged chunks fsynced after the commit", { operation, _ in operation.syncsStagedChunk },
      after: isCommitted),
    .late(
      "what an older commit left fsynced after the commit",
      { $1 == .settle && $0.syncsChunkDirectory }, after: isCommitted),
    .late(
      "fresh chunks and what an older commit left placed after the commit",
      { $1 == .prepare && $0.placesChunk },
      after: isCommitted),
    .late(
      "fresh chunks' directories fsynced before they are placed",
      { $1 == .prepare && $0.placesChunk }, after: { $1 == .prepare && $0.syncsChunkDirectory }),
    .late(
      "fresh chunks' directories fsynced after the commit",
      { $1 == .prepare && $0.syncsChunkDirectory }, after: isCommitted),
    .late(
      "new directories fsynced after the commit", { $1 == .prepare && $0.syncsNode },
      after: isCommitted),
    .late(
      "staging directories fsynced after the commit", { $1 == .prepare && $0.syncsStaging },
      after: isCommitted),
    .late("runs written after the commit", { operation, _ in operation.isRun }, after: isCommitted),
    .late(
      "runs fsynced after the rename", { operation, _ in operation.syncsRun },
      after: { operation, _ in operation.publishes }),
    .late(
      "runs fsynced after the commit", { operation, _ in operation.syncsRun }, after: isCommitted),
    .late(
      "directories of runs fsynced after the commit",
      { operation, _ in operation.syncsRunDirectory }, after: isCommitted),
    .late(
      "the index fsynced after the rename", { operation, _ in operation.syncsIndex },
      after: { operation, _ in operation.publishes }),
    .late(
      "the root directory fsynced before the rename", { operation, _ in operation.publishes },
      after: isCommitted),
    .late(
      "success reported before the root directory is fsynced",
      { $1 == .publish && $0.syncsRoot }, after: { operation, _ in operation.isAcknowledgement }),
    .late(
      "the old index linked after the commit", { operation, _ in operation.linksOldIndex },
      after: isCommitted
    ).seen(.verifying),
    .early(
      "the copy of the new index made before it is published",
      { operation, _ in operation.makesCopyOfIndex },
      before: { operation, _ in operation.publishes }
    ).seen(.recovering),
    .early(
      "the copy of the new index made before it stands for good",
      { operation, _ in operation.makesCopyOfIndex }, before: isCommitted
    ).seen(.recovering),
    .without("making the kept index another file than the copy") { operation, _ in
      operation.linksOldIndex || operation.removesOldIndex
    }.seen(.verifying),
    .early(
      "overwrites placed before the root directory is fsynced",
      { $1 == .after && $0.placesChunk }, before: isCommitted),
    .early(
      "overwrites placed before the rename", { $1 == .after && $0.placesChunk },
      before: { operation, _ in operation.publishes }),
    .early(
      "chunks dropped before the root directory is fsynced",
      { $1 == .after && $0.removesChunk }, before: isCommitted),
    .early(
      "chunks dropped before the rename", { $1 == .after && $0.removesChunk },
      before: { operation, _ in operation.publishes }),
    .early(
      "removed data sets moved away before the root directory is fsynced",
      { $1 == .after && $0.movesToTrash }, before: isCommitted),
    .early(
      "the staging directory removed before overwrites are placed",
      { $1 == .after && $0.removesStaging }, before: { $1 == .after && $0.placesChunk }),
    .runsSweptTooEarly,
  ]

  /// Mistakes of a writer who recovers, looked for by a power cut after a kill.
  static let ofRecovery: [Mutant] = [
    .without("fsync of an index that was only renamed") {
      $1 == .after && $0.syncsRoot
    },
    .without("fsync of chunks that recovery placed") { $1 == .after && $0.syncsChunkDirectory },
    .without("fsync of directories that another writer made") { operation, _ in
      operation.syncsNode
    },
    .late(
      "staging swept before what was in it is sure", { $1 == .after && $0.syncsChunkDirectory },
      after: { operation, _ in operation.removesWriter }),
    .late(
      "staging swept before what is in it is placed", { $1 == .after && $0.placesChunk },
      after: { operation, _ in operation.removesWriter }),
  ]

  private static let isCommitted: Match = { $1 == .publish && $0.syncsRoot }

  /// Runs that an index does not list any more go before that index is sure.
  private static let runsSweptTooEarly = Mutant(
    name: "runs swept before the root directory is fsynced"
  ) { operations in
    var index: [UInt8] = []
    var listed: Set<StorePath> = []
    var made: [StorePath: DiskOperation] = [:]
    var result: [DiskOperation] = []
    for operation in operations {
      if operation.isTemporaryIndex, case .contents(_, let bytes) = operation.change {
        index = bytes
      }
      if operation.kind == .create, operation.isRun { made[operation.path] = operation }
      result.append(operation)
      guard operation.publishes else { continue }
      let text = String(decoding: index, as: UTF8.self)
      let now = Set(made.keys.filter { text.contains($0.name.dropLast(5).suffix(8)) })
      for path in listed.subtracting(now) {
        guard case .names(let entries, let directory)? = made[path]?.change else { continue }
        let gone = entries.map {
          DiskImage.Entry(directory: $0.directory, name: $0.name, number: nil)
        }
        result.append(
          DiskOperation(
            kind: .remove, path: path, change: .names(gone, durableWith: directory)))
      }
      listed = now
    }
    operations = result
  }
}
