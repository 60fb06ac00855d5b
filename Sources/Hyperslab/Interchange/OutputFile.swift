public import HyperslabCore
public import HyperslabIteration
public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that appears under its name only when it is complete, or a stream.
///
/// A file that is there already is replaced by one of the same mode, and owner and group as far as
/// allowed; a symbolic link stays, and what it leads to is replaced. Devices and pipes are written into.
public final class OutputFile {
  private let descriptor: FileDescriptor
  /// The name while it is incomplete; nil for a stream.
  private let staging: FilePath?
  private let target: FilePath?
  private let existing: OutputTarget.ExistingFile?
  private let isOwned: Bool
  private let place: String
  private let cancellation: Cancellation?
  private var pending: [UInt8] = []
  private var isFinished = false
  private var isClosed = false

  /// Begins a file beside its final place; whatever is there stays until ``finish()``.
  ///
  /// - Parameters:
  ///   - path: Where; not inside a store.
  ///   - cancellation: Ends the output when it is cancelled: writing and finishing throw `cancelled`.
  /// - Throws: `io`; `invalid_value` for a place inside a store.
  public init(
    _ path: FilePath, cancellation: Cancellation? = nil
  ) throws(HyperslabError) {
    place = path.string
    self.cancellation = cancellation
    let found = try OutputTarget(path)
    do {
      switch found {
      case .open(let number):
        descriptor = try FileDescriptor(rawValue: number).duplicate()
        (staging, target, existing) = (nil, nil, nil)
      case .stream:
        descriptor = try FileDescriptor.open(path, .writeOnly, options: [.closeOnExec])
        (staging, target, existing) = (nil, nil, nil)
      case .file(let file, let old):
        let temporary = file.removingLastComponent().appending(
          ".slab-output-\(UInt64.random(in: .min ... .max))")
        // What replaces a private file is private from the start.
        descriptor = try FileDescriptor.open(
          temporary, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
          permissions: FilePermissions(rawValue: old == nil ? 0o666 : 0o600))
        (staging, target, existing) = (temporary, file, old)
      }
    } catch {
      throw Self.openingFailed(path, error)
    }
    isOwned = true
  }

  /// Writes to an open stream, such as standard output, which stays open.
  public init(stream: FileDescriptor) {
    descriptor = stream
    (staging, target, existing, cancellation) = (nil, nil, nil, nil)
    isOwned = false
    place = "standard output"
  }

  /// Whether it is written into as it is: nothing is to be put in order when the process ends early.
  public var isStream: Bool { staging == nil }

  private static func openingFailed(_ path: FilePath, _ cause: any Error) -> HyperslabError {
    var error = HyperslabError(.fileAccess, "cannot be written", at: path.string, cause: cause)
    switch cause as? Errno {
    case .noSuchFileOrDirectory:
      error.remedy = "Make its directory first: mkdir -p \(path.removingLastComponent().string)"
    case .permissionDenied, .readOnlyFileSystem:
      error.remedy = "A new file is made in its directory: choose another one, or write to a stream"
    default: break
    }
    return error
  }

  /// Appends bytes.
  public func write(_ bytes: RawSpan) throws(HyperslabError) {
    try flush()
    try send(bytes)
  }

  /// Appends bytes.
  public func write(bytes: [UInt8]) throws(HyperslabError) {
    pending.append(contentsOf: bytes)
    try flush()
  }

  /// Appends text, which is gathered into larger writes.
  public func write(_ text: String) throws(HyperslabError) {
    pending.append(contentsOf: text.utf8)
    if pending.count >= 1 << 16 { try flush() }
  }

  /// Makes what was written permanent and gives the file its name; of a stream, sends what was gathered.
  public func finish() throws(HyperslabError) {
    try checkOpen()
    try flush()
    try checkCancelled()
    guard let staging, let target else { return try close() }
    existing?.apply(to: descriptor)
    guard fsync(descriptor.rawValue) == 0 else { throw failure(Errno(rawValue: errno)) }
    try close()
    guard unsafe rename(staging.string, target.string) == 0 else {
      throw failure(Errno(rawValue: errno))
    }
    isFinished = true
    // Where directories cannot be made permanent, the file is all the same.
    let parent = target.removingLastComponent()
    guard let directory = try? FileDescriptor.open(parent.isEmpty ? "." : parent, .readOnly)
    else { return }
    fsync(directory.rawValue)
    try? directory.close()
  }

  /// Closes the file; without ``finish()`` nothing of it remains.
  deinit {
    if isOwned, !isClosed { try? descriptor.close() }
    if let staging, !isFinished { unsafe unlink(staging.string) }
  }

  /// Some file systems tell only now that something could not be written.
  private func close() throws(HyperslabError) {
    guard isOwned, !isClosed else { return }
    isClosed = true
    do { try descriptor.close() } catch { throw failure(error) }
  }

  private func flush() throws(HyperslabError) {
    if pending.isEmpty { return }
    let ready = pending
    pending.removeAll()
    try unsafe send(ready.span.bytes)
  }

  /// What was closed must not be written to: its number may be another file's by now.
  private func checkOpen() throws(HyperslabError) {
    if isClosed { throw HyperslabError(.closed, "is finished, and takes no more", at: place) }
  }

  private func checkCancelled() throws(HyperslabError) {
    guard cancellation?.isCancelled ?? false else { return }
    throw HyperslabError(
      .cancelled, "was interrupted", at: place, remedy: "Nothing of it remains; begin again")
  }

  private func send(_ bytes: RawSpan) throws(HyperslabError) {
    try checkOpen()
    try checkCancelled()
    let sent = unsafe bytes.withUnsafeBytes { memory in Result { try unsafe send(memory) } }
    if case .failure(let error) = sent { throw failure(error) }
  }

  private func send(_ memory: UnsafeRawBufferPointer) throws {
    var rest = unsafe memory[...]
    while unsafe !rest.isEmpty {
      do {
        unsafe rest = try rest.dropFirst(descriptor.write(UnsafeRawBufferPointer(rebasing: rest)))
      } catch Errno.wouldBlock {
        // Whoever shares the stream may have set it so that it does not wait.
        var ready = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
        unsafe poll(&ready, 1, -1)
      }
    }
  }

  private func failure(_ cause: any Error) -> HyperslabError {
    HyperslabError(.fileAccess, "cannot be written", at: place, cause: cause)
  }
}
