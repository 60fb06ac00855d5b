public import HyperslabCore
public import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that appears under its name only when it is complete, or a stream.
public final class OutputFile {
  private let descriptor: FileDescriptor
  /// The name while it is incomplete; nil for a stream.
  private let staging: FilePath?
  private let path: FilePath?
  private var pending: [UInt8] = []
  private var isFinished = false

  /// Begins a file beside its final place; whatever is there stays until ``finish()``.
  ///
  /// - Throws: `io`.
  public init(_ path: FilePath) throws(HyperslabError) {
    let staging = path.removingLastComponent().appending(
      ".slab-output-\(UInt64.random(in: .min ... .max))")
    do {
      descriptor = try FileDescriptor.open(
        staging, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch {
      throw HyperslabError(.fileAccess, "cannot be written", at: path.string, cause: error)
    }
    self.staging = staging
    self.path = path
  }

  /// Writes to an open stream, such as standard output, which stays open.
  public init(stream: FileDescriptor) {
    descriptor = stream
    staging = nil
    path = nil
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

  /// Makes what was written permanent and gives the file its name.
  public func finish() throws(HyperslabError) {
    try flush()
    guard let staging, let path else { return }
    guard fsync(descriptor.rawValue) == 0, rename(staging.string, path.string) == 0 else {
      throw failure(Errno(rawValue: errno))
    }
    isFinished = true
  }

  /// Closes the file; without ``finish()`` nothing of it remains.
  deinit {
    guard let staging else { return }
    try? descriptor.close()
    if !isFinished { unlink(staging.string) }
  }

  private func flush() throws(HyperslabError) {
    if pending.isEmpty { return }
    let ready = pending
    pending.removeAll()
    try send(ready.span.bytes)
  }

  private func send(_ bytes: RawSpan) throws(HyperslabError) {
    let sent = bytes.withUnsafeBytes { memory in Result { try descriptor.writeAll(memory) } }
    if case .failure(let error) = sent { throw failure(error) }
  }

  private func failure(_ cause: any Error) -> HyperslabError {
    HyperslabError(
      .fileAccess, "cannot be written", at: path?.string ?? "standard output", cause: cause)
  }
}
