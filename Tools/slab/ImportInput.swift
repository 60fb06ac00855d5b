import Hyperslab
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What an import or an append reads, opened.
enum ImportInput {
  case npy(NpyFile)
  case raw(RawFile)

  /// - Parameters:
  ///   - store: Where the data go; a stream is kept beside it.
  ///   - limit: The most bytes of a file that may be lent at once.
  init(
    _ input: String, _ options: InputOptions, beside store: FilePath, limit: Int
  ) throws(HyperslabError) {
    let isPlain = options.raw || options.dtype != nil
    if isPlain, let type = options.dtype?.type, let axes = try options.shape?.axes() {
      var file =
        try input == "-"
        ? Self.spooled(beside: store, limit: Self.byteCount(axes, type, options.skipBytes))
          .rawFile(type: type, shape: axes, skipByteCount: options.skipBytes)
        : RawFile(
          FilePath(input), type: type, shape: axes, skipByteCount: options.skipBytes)
      file.residentByteLimit = limit
      self = .raw(file)
    } else {
      var file =
        try input == "-"
        ? Self.spooled(beside: store, limit: nil).npyFile() : NpyFile(FilePath(input))
      file.residentByteLimit = limit
      self = .npy(file)
    }
  }

  private static func spooled(
    beside store: FilePath, limit: Int?
  ) throws(HyperslabError) -> SpooledInput {
    // Directories above the store may have yet to be made; the nearest is on the same disk.
    var directory = store.removingLastComponent()
    while !directory.isEmpty, unsafe access(directory.string, F_OK) != 0 {
      directory.removeLastComponent()
    }
    if directory.isEmpty { directory = "." }
    if unsafe access(directory.string, W_OK) != 0 {
      directory = unsafe FilePath(getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp")
    }
    return try SpooledInput(.standardInput, in: directory, limit: limit)
  }

  /// How many bytes a shape holds, where it says so.
  private static func byteCount(_ axes: [Int?], _ type: NumPyType, _ skipped: Int) -> Int? {
    let known = axes.compactMap { $0 }
    guard known.count == axes.count, known.allSatisfy({ $0 >= 0 }) else { return nil }
    return Checked.product(known + [type.dataType.byteCount]).flatMap { Checked.add($0, skipped) }
  }
}
