import Hyperslab
import SystemPackage

/// What an import reads, opened.
enum ImportInput {
  case npy(NpyFile)
  case raw(RawFile)

  init(_ command: ImportCommand, beside store: FilePath) throws(HyperslabError) {
    let isPlain = command.raw || command.dtype != nil
    let limit = try command.memoryMb.map { megabytes throws(HyperslabError) in
      try MemoryBudget(megabytes: megabytes).bufferByteCount
    }
    if isPlain, let type = command.dtype?.type, let axes = try command.shape?.axes() {
      var file =
        try command.input == "-"
        ? Self.spooled(beside: store, limit: Self.byteCount(axes, type, command.skipBytes))
          .rawFile(type: type, shape: axes, skipByteCount: command.skipBytes)
        : RawFile(
          FilePath(command.input), type: type, shape: axes, skipByteCount: command.skipBytes)
      file.residentByteLimit = limit
      self = .raw(file)
    } else {
      var file =
        try command.input == "-"
        ? Self.spooled(beside: store, limit: nil).npyFile() : NpyFile(FilePath(command.input))
      file.residentByteLimit = limit
      self = .npy(file)
    }
  }

  private static func spooled(
    beside store: FilePath, limit: Int?
  ) throws(HyperslabError) -> SpooledInput {
    let parent = store.removingLastComponent()
    return try SpooledInput(
      .standardInput, in: parent.isEmpty ? "." : parent, limit: limit)
  }

  /// How many bytes a shape holds, where it says so.
  private static func byteCount(_ axes: [Int?], _ type: NumPyType, _ skipped: Int) -> Int? {
    let known = axes.compactMap { $0 }
    guard known.count == axes.count, known.allSatisfy({ $0 >= 0 }) else { return nil }
    return Checked.product(known + [type.dataType.byteCount]).flatMap { Checked.add($0, skipped) }
  }
}
