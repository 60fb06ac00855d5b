public import HyperslabCore
public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A stream, such as standard input, kept in a temporary file so that it can be read in any order.
///
/// The file has no name: it vanishes with the process, however that ends.
public struct SpooledInput: Sendable {
  private let file: SourceFile
  /// How many bytes came.
  public var byteCount: Int { file.byteCount }

  /// Reads a stream to its end.
  ///
  /// - Parameters:
  ///   - input: The stream.
  ///   - directory: Where there is room for it; best beside the store.
  ///   - limit: The most bytes that may come; nil for any number.
  /// - Throws: `io`; `invalid_array_file` when more bytes come than the limit.
  public init(
    _ input: FileDescriptor, in directory: FilePath, limit: Int? = nil
  ) throws(HyperslabError) {
    let file = try Self.unnamedFile(in: directory)
    do {
      try Self.copy(input, to: file, limit: limit)
    } catch {
      try? file.close()
      throw error as? HyperslabError
        ?? HyperslabError(
          .fileAccess, "standard input cannot be kept", at: directory.string, cause: error)
    }
    self.file = try SourceFile(descriptor: file, place: "standard input")
  }

  /// The stream as an array of plain numbers; see ``RawFile``.
  public func rawFile(
    type: NumPyType, shape: [Int?], skipByteCount: Int = 0
  ) throws(HyperslabError) -> RawFile {
    try RawFile(file, type: type, shape: shape, skipByteCount: skipByteCount)
  }

  /// The stream as a `.npy` file; see ``NpyFile``.
  public func npyFile() throws(HyperslabError) -> NpyFile {
    try NpyFile(file)
  }

  private static func unnamedFile(in directory: FilePath) throws(HyperslabError) -> FileDescriptor {
    let name = ".slab-input-\(UInt64.random(in: .min ... .max))"
    let path = directory.appending(name)
    do {
      let file = try FileDescriptor.open(
        path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec],
        permissions: .ownerReadWrite)
      unsafe unlink(path.string)
      return file
    } catch {
      throw HyperslabError(
        .fileAccess, "standard input cannot be kept in this directory", at: directory.string,
        cause: error)
    }
  }

  private static func copy(
    _ input: FileDescriptor, to file: FileDescriptor, limit: Int?
  ) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { unsafe buffer.deallocate() }
    var total = 0
    while true {
      let count = try unsafe input.read(into: buffer)
      if count == 0 { return }
      total += count
      if let limit, total > limit {
        throw HyperslabError(
          .invalidArrayFile, "more bytes came than the shape holds", at: "standard input",
          expected: "\(limit) bytes", remedy: "Give ? for the first axis to take all that comes")
      }
      try unsafe file.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}
