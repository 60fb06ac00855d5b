@testable import HyperslabFormat

/// One thing that was done to a simulated disk, in the order in which it was done.
struct DiskOperation: Sendable {
  enum Kind: String, Sendable, CaseIterable {
    case create, write, synchronize, rename, exchange, link, remove, makeDirectory, removeDirectory
    case synchronizeDirectory, synchronizeAll, close, mark
  }

  enum Change: Sendable {
    /// Names in directories, all or none after a power cut, sure once `durableWith` is fsynced.
    case names([DiskImage.Entry], durableWith: Int)
    case contents(file: Int, bytes: [UInt8])
    case synchronizedFile(Int)
    case synchronizedDirectory(Int)
    case synchronizedAll
    /// A commit with this outcome may happen from now on.
    case begun(Int)
    /// Success was reported for this outcome.
    case acknowledged(Int)
    case nothing
  }

  var kind: Kind
  /// What it was done to; of a rename or link, the new name.
  var path: StorePath
  var from: StorePath?
  /// The number of the file or directory that it made.
  var made: Int?
  var change: Change

  var description: String { "\(kind) \(from.map { "\($0) → " } ?? "")\(path)" }
}

/// What was done to a disk, and what stood on it before.
struct DiskTrace: Sendable {
  var start: DiskImage
  var operations: [DiskOperation] = []

  /// The disk as running processes see it after the first `count` operations.
  func volatileImage(after count: Int) -> DiskImage {
    var image = start
    for operation in operations.prefix(count) { image.carryOut(operation) }
    return image
  }
}

extension DiskImage {
  mutating func carryOut(_ operation: DiskOperation) {
    if let made = operation.made {
      if operation.kind == .makeDirectory { directories[made] = [:] } else { files[made] = File() }
    }
    switch operation.change {
    case .names(let entries, _): apply(entries)
    case .contents(let file, let bytes):
      files[file]?.bytes = bytes
      files[file]?.isDirty = true
    case .synchronizedFile(let file):
      guard let found = files[file], !found.isLost else { return }
      files[file]?.durable = found.bytes
      files[file]?.isDirty = false
    case .synchronizedAll:
      for (number, file) in files where !file.isLost {
        files[number]?.durable = file.bytes
        files[number]?.isDirty = false
      }
    case .synchronizedDirectory, .begun, .acknowledged, .nothing: break
    }
  }
}
