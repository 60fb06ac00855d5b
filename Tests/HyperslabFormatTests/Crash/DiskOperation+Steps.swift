@testable import HyperslabFormat

// The steps of the commit protocol, told apart by what they touch.

extension DiskOperation {
  var isAcknowledgement: Bool { if case .acknowledged = change { true } else { false } }

  func isSame(as other: DiskOperation) -> Bool {
    kind == other.kind && path == other.path && from == other.from && made == other.made
      && isAcknowledgement == other.isAcknowledgement
  }

  /// The path below the store.
  private var names: [String] { Array(path.components.dropFirst()) }
  private func isDirectorySync(_ matches: ([String]) -> Bool) -> Bool {
    kind == .synchronizeDirectory && !path.components.isEmpty && !isOfNewStore && matches(names)
  }

  var isStaged: Bool {
    names.starts(with: ["__slab", "w"]) && names.count > 3 && names.last != "lock"
  }
  /// Of a chunk file or a directory of them.
  var isChunk: Bool { names.first != "__slab" && names.contains("c") }
  var isOfNode: Bool { !names.isEmpty && names.first != "__slab" }
  var isRun: Bool { names.starts(with: ["__slab", "t"]) && names.count == 4 }
  var isTemporaryIndex: Bool { names.count == 1 && names[0].hasPrefix("slab.json.tmp") }
  var isKeptIndex: Bool { names.count == 2 && names[1].hasPrefix("root-") }

  var syncsStagedChunk: Bool { kind == .synchronize && isStaged }
  var syncsRun: Bool { kind == .synchronize && isRun }
  var syncsIndex: Bool { kind == .synchronize && isTemporaryIndex }
  var syncsRoot: Bool { isDirectorySync { $0.isEmpty } }
  var syncsReserved: Bool { isDirectorySync { $0 == ["__slab"] } }
  var syncsWriters: Bool { isDirectorySync { $0 == ["__slab", "w"] } }
  var syncsStaging: Bool { isDirectorySync { $0.starts(with: ["__slab", "w"]) && $0.count > 2 } }
  var syncsTables: Bool { isDirectorySync { $0 == ["__slab", "t"] } }
  var syncsRunDirectory: Bool {
    isDirectorySync { $0.starts(with: ["__slab", "t"]) && $0.count == 3 }
  }
  /// Of the directories that hold chunk files or directories of them.
  var syncsChunkDirectory: Bool { isDirectorySync { $0.first != "__slab" && $0.contains("c") } }
  /// Of groups and data sets.
  var syncsNode: Bool {
    isDirectorySync { !$0.isEmpty && $0.first != "__slab" && !$0.contains("c") }
  }

  var syncsParent: Bool { kind == .synchronizeDirectory && path.components.isEmpty }
  /// Of files and directories of a store that has not got its name yet.
  var isOfNewStore: Bool { path.components.first.map { $0.hasSuffix(".tmp") } ?? false }

  var takesClaim: Bool { kind == .create && names.count == 2 && names[1].hasPrefix("claim-") }
  var publishes: Bool { kind == .rename && names == ["slab.json"] }
  var placesChunk: Bool { kind == .rename && isChunk }
  var removesChunk: Bool { kind == .remove && isChunk }
  var removesRun: Bool { kind == .remove && isRun }
  var removesStaging: Bool {
    (kind == .remove || kind == .removeDirectory) && names.starts(with: ["__slab", "w"])
  }
  /// Of a writer's directory, at the end.
  var removesWriter: Bool { kind == .removeDirectory && names.count == 3 && removesStaging }
  var makesCopyOfIndex: Bool { (kind == .create || kind == .write) && isKeptIndex }
  var removesOldIndex: Bool { kind == .remove && isKeptIndex }
  var linksOldIndex: Bool { kind == .link && isKeptIndex }
  var changesPlaces: Bool { kind == .exchange && path.name != "zarr.json" }
  var isArrivalMark: Bool { names.last == StoreLayout.arrivalMark }
  var makesArrivalMark: Bool { kind == .create && isArrivalMark }
  var removesArrivalMark: Bool { kind == .remove && isArrivalMark }
  /// Of a derived file on its way.
  var isTemporaryDocument: Bool {
    names.count == 2 && names[1].hasPrefix(StoreLayout.temporaryDerivedPrefix)
  }
  var placesDocument: Bool { kind == .rename && names.last == "zarr.json" && names.count < 4 }
  var movesToTrash: Bool { kind == .rename && names.starts(with: ["__slab", "trash"]) }
}
