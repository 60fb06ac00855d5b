import HyperslabCore
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A regular file mapped for reading, which notices when somebody changes it.
///
/// `@unchecked Sendable`: everything is constant after `init`, and the memory is only read.
final class MappedFile: @unchecked Sendable {
  /// Size and time of last change: what tells that the content may be another.
  struct Identity: Equatable {
    var byteCount: Int
    var seconds: Int
    var nanoseconds: Int
  }

  let place: String
  let identity: Identity
  /// The whole file; empty for an empty one.
  let memory: UnsafeRawBufferPointer
  private let descriptor: FileDescriptor

  /// Opens and maps a file.
  convenience init(path: FilePath) throws(HyperslabError) {
    do {
      // Not blocking: opening a pipe that nobody writes to would otherwise never return.
      let descriptor = try FileDescriptor.open(
        path, .readOnly, options: [.closeOnExec, .nonBlocking])
      try self.init(descriptor: descriptor, place: path.string)
    } catch let error as HyperslabError {
      throw error
    } catch {
      throw HyperslabError(.fileAccess, "cannot be opened", at: path.string, cause: error)
    }
  }

  /// Maps an open file and closes it with itself, also when it throws.
  init(descriptor: FileDescriptor, place: String) throws(HyperslabError) {
    do throws(HyperslabError) {
      let identity = try Self.identity(of: descriptor, place)
      memory = try Self.map(descriptor, identity.byteCount, place)
      self.identity = identity
    } catch {
      try? descriptor.close()
      throw error
    }
    self.descriptor = descriptor
    self.place = place
  }

  deinit {
    if let base = memory.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: base), memory.count)
    }
    try? descriptor.close()
  }

  private static func identity(
    of descriptor: FileDescriptor, _ place: String
  ) throws(HyperslabError) -> Identity {
    var status = stat()
    guard fstat(descriptor.rawValue, &status) == 0 else {
      throw HyperslabError(
        .fileAccess, "cannot be examined", at: place, cause: Errno(rawValue: errno))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw HyperslabError(
        .fileAccess, "not a regular file", at: place,
        remedy: "Pipe anything else in and give - as the input")
    }
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    return Identity(
      byteCount: Int(status.st_size), seconds: Int(time.tv_sec), nanoseconds: Int(time.tv_nsec))
  }

  private static func map(
    _ descriptor: FileDescriptor, _ byteCount: Int, _ place: String
  ) throws(HyperslabError) -> UnsafeRawBufferPointer {
    if byteCount == 0 { return UnsafeRawBufferPointer(start: nil, count: 0) }
    guard let base = mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor.rawValue, 0),
      base != MAP_FAILED
    else {
      throw HyperslabError(
        .fileAccess, "cannot be mapped", at: place, cause: Errno(rawValue: errno))
    }
    return UnsafeRawBufferPointer(start: base, count: byteCount)
  }

  /// Throws `source_changed` unless size and time are what they were.
  ///
  /// Asked right before pages are touched, because those of a shortened file end the process.
  func checkUnchanged() throws(HyperslabError) {
    let now = try Self.identity(of: descriptor, place)
    guard now == identity else {
      throw HyperslabError(
        .sourceChanged, "the file changed while it was being read", at: place,
        expected: "\(identity.byteCount) bytes, last changed at \(identity.seconds) s",
        found: "\(now.byteCount) bytes, last changed at \(now.seconds) s",
        remedy: "Begin again when nothing writes to it any more")
    }
  }

  /// Gives the pages of a range back, so that they no longer count as this process's memory.
  func release(_ range: Range<Int>) {
    guard let base = memory.baseAddress, !range.isEmpty else { return }
    let page = Int(getpagesize())
    let start = range.lowerBound / page * page
    madvise(
      UnsafeMutableRawPointer(mutating: base) + start,
      Swift.min(range.upperBound, memory.count) - start, MADV_DONTNEED)
  }
}
