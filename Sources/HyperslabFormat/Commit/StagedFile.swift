import HyperslabCodecs
import HyperslabCore

/// A chunk file on its way into a writer's private directory; made when its first bytes come.
final class StagedFile: FrameSink {
  private let path: StorePath
  private let files: any FileSystem
  private var file: (any FileHandle)?

  init(path: StorePath, in files: any FileSystem) {
    self.path = path
    self.files = files
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(HyperslabError) {
    let file: any FileHandle
    if let known = self.file { file = known } else { file = try create() }
    self.file = file
    try file.write(bytes, at: offset)
  }

  private func create() throws(HyperslabError) -> any FileHandle {
    do { return try files.create(path) } catch {
      // What an attempt that failed could not remove.
      guard error.code == .alreadyExists else { throw error }
      try files.remove(path)
      return try files.create(path)
    }
  }

  /// Hands the file over to whoever makes it permanent and closes it.
  func take() -> (any FileHandle)? {
    defer { file = nil }
    return file
  }

  /// Removes what was written; nobody refers to it.
  func discard() {
    guard let file else { return }
    try? file.close()
    try? files.remove(path)
    self.file = nil
  }
}
