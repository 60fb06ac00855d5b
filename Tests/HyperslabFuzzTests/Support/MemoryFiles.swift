import HyperslabCore

@testable import HyperslabFormat

/// A store's files in memory, for reading: fast enough for a million inputs.
struct MemoryFiles: FileSystem {
  var contents: [StorePath: [UInt8]] = [:]

  var rootDescription: String { "memory" }

  func open(_ path: StorePath) throws(HyperslabError) -> any FileHandle {
    if let bytes = contents[path] { return MemoryHandle(bytes) }
    throw HyperslabError(isDirectory(path) ? .foreign : .missing, "not there", at: "\(path)")
  }

  private func isDirectory(_ path: StorePath) -> Bool {
    contents.keys.contains {
      $0.components.count > path.components.count && $0.components.starts(with: path.components)
    }
  }

  func list(_ path: StorePath) throws(HyperslabError) -> [DirectoryEntry] {
    guard isDirectory(path) else { throw HyperslabError(.missing, "no directory", at: "\(path)") }
    var kinds: [String: FileKind] = [:]
    let depth = path.components.count
    for file in contents.keys.map(\.components)
    where file.count > depth && file.starts(with: path.components) {
      kinds[file[depth]] = file.count == depth + 1 ? .file : .directory
    }
    return kinds.map { DirectoryEntry(name: $0.key, kind: $0.value) }
  }

  func status(_ path: StorePath) throws(HyperslabError) -> FileStatus? {
    if let bytes = contents[path] {
      return FileStatus(kind: .file, byteCount: bytes.count, modified: 0)
    }
    return isDirectory(path) ? FileStatus(kind: .directory, byteCount: 0, modified: 0) : nil
  }

  private func refused() -> HyperslabError { HyperslabError(.readOnly, "a store in memory") }
  func create(_ path: StorePath) throws(HyperslabError) -> any FileHandle { throw refused() }
  func rename(_ from: StorePath, to: StorePath) throws(HyperslabError) { throw refused() }
  func link(_ from: StorePath, to: StorePath) throws(HyperslabError) { throw refused() }
  func remove(_ path: StorePath) throws(HyperslabError) { throw refused() }
  func removeDirectory(_ path: StorePath) throws(HyperslabError) { throw refused() }
  func makeDirectory(_ path: StorePath) throws(HyperslabError) -> Bool { throw refused() }
  func synchronizeDirectory(_ path: StorePath) throws(HyperslabError) { throw refused() }
  func lock(_ path: StorePath, wait: Bool) throws(HyperslabError) -> (any FileLock)? {
    throw refused()
  }
}

private final class MemoryHandle: FileHandle {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var byteCount: Int { bytes.count }

  func read(
    at offset: Int, into memory: UnsafeMutableRawBufferPointer
  ) throws(HyperslabError) -> Int {
    guard offset >= 0, offset <= bytes.count else { return 0 }
    let count = Swift.min(memory.count, bytes.count - offset)
    memory.copyBytes(from: bytes[offset..<offset + count])
    return count
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(HyperslabError) {
    throw HyperslabError(.readOnly, "a file in memory")
  }
  func synchronize() throws(HyperslabError) {}
  func close() throws(HyperslabError) {}
}
