import HyperslabCodecs
import HyperslabCore

/// A chunk file on its way into a writer's private directory; made, with the directories above it, when
/// its first bytes come.
final class StagedFile: FrameSink {
  private let path: StorePath
  private let files: any FileSystem
  private var file: (any FileHandle)?
  private var isMade = false

  init(path: StorePath, in files: any FileSystem) {
    self.path = path
    self.files = files
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(HyperslabError) {
    let file: any FileHandle
    if let known = self.file { file = known } else { file = try create() }
    self.file = file
    isMade = true
    try unsafe file.write(bytes, at: offset)
  }

  private func create() throws(HyperslabError) -> any FileHandle {
    for _ in 0..<4 {
      do { return try files.create(path) } catch {
        switch error.code {
        // The first of its directory; or a commit on another thread has just emptied and removed that.
        case .missing: _ = try files.makeDirectories(path.parent)
        // What an attempt that failed could not remove.
        case .alreadyExists: try files.remove(path)
        default: throw error
        }
      }
    }
    return try files.create(path)
  }

  /// Hands the file over to whoever makes it permanent and closes it.
  func take() -> (any FileHandle)? {
    defer { file = nil }
    return file
  }

  /// Removes what was written, also after it was handed over; nobody refers to it. False where it may
  /// still be there.
  func discard() -> Bool {
    guard isMade else { return true }
    try? file?.close()
    file = nil
    do { try files.remove(path) } catch { return false }
    isMade = false
    return true
  }
}
