package import HyperslabCore
import HyperslabIteration
package import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A regular file open for reading, which notices when somebody changes it.
///
/// It is read with calls that return an error and never mapped: touching a page of a file that has become
/// shorter, or of a disk that fails, ends the process.
package final class SourceFile: Sendable {
  /// What tells that the content may be another.
  struct Identity: Equatable {
    var byteCount: Int
    var seconds: Int
    var nanoseconds: Int
    /// Which file it is, whatever its name.
    var device: UInt64
    var number: UInt64

    fileprivate init(_ status: stat) {
      #if canImport(Darwin)
        let time = status.st_mtimespec
      #else
        let time = status.st_mtim
      #endif
      byteCount = Int(status.st_size)
      seconds = Int(time.tv_sec)
      nanoseconds = Int(time.tv_nsec)
      device = UInt64(truncatingIfNeeded: status.st_dev)
      number = UInt64(truncatingIfNeeded: status.st_ino)
    }
  }

  let place: String
  let identity: Identity
  private let descriptor: FileDescriptor
  /// Nil for a file without a name.
  private let path: FilePath?

  var byteCount: Int { identity.byteCount }

  /// Opens a file.
  convenience init(path: FilePath) throws(HyperslabError) {
    let descriptor = try Self.open(path)
    try self.init(descriptor: descriptor, place: path.string, path: path)
  }

  private static func open(_ path: FilePath) throws(HyperslabError) -> FileDescriptor {
    do {
      // Not blocking: opening a pipe that nobody writes to would otherwise never return.
      return try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
    } catch {
      throw HyperslabError(.fileAccess, "cannot be opened", at: path.string, cause: error)
    }
  }

  /// Opens a file that comes to an end, for somebody else to read and close.
  ///
  /// - Throws: `io`, for a directory, a pipe or a device, too.
  package static func openRegular(_ path: FilePath) throws(HyperslabError) -> FileDescriptor {
    let descriptor = try open(path)
    do throws(HyperslabError) {
      _ = try identity(of: descriptor, path.string)
      return descriptor
    } catch {
      try? descriptor.close()
      throw error
    }
  }

  /// Takes an open file and closes it with itself, also when it throws.
  init(descriptor: FileDescriptor, place: String, path: FilePath? = nil) throws(HyperslabError) {
    do throws(HyperslabError) {
      identity = try Self.identity(of: descriptor, place)
    } catch {
      try? descriptor.close()
      throw error
    }
    self.descriptor = descriptor
    self.place = place
    self.path = path
    #if os(Linux)
      // A wish: the system then reads further ahead.
      _ = posix_fadvise(descriptor.rawValue, 0, 0, POSIX_FADV_SEQUENTIAL)
    #endif
  }

  deinit { try? descriptor.close() }

  private static func identity(
    of descriptor: FileDescriptor, _ place: String
  ) throws(HyperslabError) -> Identity {
    var status = stat()
    guard unsafe fstat(descriptor.rawValue, &status) == 0 else {
      throw HyperslabError(
        .fileAccess, "cannot be examined", at: place, cause: Errno(rawValue: errno))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw HyperslabError(
        .fileAccess, "not a regular file", at: place,
        remedy: "Pipe anything else in and give - as the input")
    }
    if status.st_size == 0, isEndless(descriptor) {
      throw HyperslabError(
        .fileAccess, "a file whose length the system does not tell", at: place,
        remedy: "Pipe it in and give - as the input")
    }
    return Identity(status)
  }

  /// Whether there is something in a file that is told to be empty, as in those of `/proc`.
  private static func isEndless(_ descriptor: FileDescriptor) -> Bool {
    var byte: UInt8 = 0
    let count = unsafe withUnsafeMutableBytes(of: &byte) {
      unsafe (try? descriptor.read(fromAbsoluteOffset: 0, into: $0)) ?? 0
    }
    var status = stat()
    return unsafe count > 0 && fstat(descriptor.rawValue, &status) == 0 && status.st_size == 0
  }

  /// Throws `source_changed` unless size and time are what they were and the name is still this file's,
  /// if anybody's.
  func checkUnchanged() throws(HyperslabError) {
    let now = try Self.identity(of: descriptor, place)
    if now != identity { throw changed(now, "the file changed while it was being read") }
    var status = stat()
    guard let path, unsafe stat(path.string, &status) == 0 else { return }
    let named = Identity(status)
    if (named.device, named.number) != (now.device, now.number) {
      throw changed(named, "another file took its place while it was being read")
    }
  }

  private func changed(_ now: Identity, _ what: String) -> HyperslabError {
    HyperslabError(
      .sourceChanged, what, at: place,
      expected: "\(identity.byteCount) bytes, last changed at \(identity.seconds) s",
      found: "\(now.byteCount) bytes, last changed at \(now.seconds) s",
      remedy: "Begin again when nothing writes to it any more")
  }

  /// Systems refuse to read 2 GiB or more at once.
  private static let mostByteCount = 1 << 30

  /// Fills memory from an offset on.
  ///
  /// - Throws: `source_changed` where the file has become too short for it; `io`.
  func read(at offset: Int, into memory: UnsafeMutableRawBufferPointer) throws(HyperslabError) {
    var done = 0
    while done < memory.count {
      let end = Swift.min(memory.count, done + Self.mostByteCount)
      let count: Int
      do {
        count = try unsafe descriptor.read(
          fromAbsoluteOffset: Int64(offset + done),
          into: UnsafeMutableRawBufferPointer(rebasing: memory[done..<end]))
      } catch {
        throw HyperslabError(
          .fileAccess, "cannot be read from byte \(offset + done) on", at: place, cause: error)
      }
      if count == 0 {
        try checkUnchanged()
        throw HyperslabError(
          .sourceChanged, "the file ended while it was being read", at: place,
          expected: "\(identity.byteCount) bytes", found: "\(offset + done) bytes",
          remedy: "Begin again when nothing writes to it any more")
      }
      done += count
    }
  }

  /// The first bytes, as many as there are.
  func prefix(_ limit: Int) throws(HyperslabError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Swift.min(limit, byteCount))
    var failure: HyperslabError?
    unsafe bytes.withUnsafeMutableBytes { memory in
      do throws(HyperslabError) { try unsafe read(at: 0, into: memory) } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }
}
