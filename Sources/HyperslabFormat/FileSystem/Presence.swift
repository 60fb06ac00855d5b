import HyperslabCore
import Synchronization

/// Tells of many names whether there is something. Of directories that are not there the system is asked
/// once: an index can name a great many files in them.
///
/// For as long as it does not matter whether somebody makes such directories meanwhile.
final class Presence: Sendable {
  private struct State {
    var directories: [StorePath: Bool] = [:]
    /// Most questions are about what was asked last.
    var last: (path: StorePath, isThere: Bool)?
  }

  private let files: any FileSystem
  private let state = Mutex(State())

  init(files: any FileSystem) { self.files = files }

  /// Whether something has a name.
  func holds(_ path: StorePath) throws(HyperslabError) -> Bool {
    guard try canHold(path.parent) else { return false }
    return try files.status(path) != nil
  }

  /// Whether there is something at a path: a directory, or what is none and is told of when it is looked
  /// into.
  func canHold(_ path: StorePath) throws(HyperslabError) -> Bool {
    if path.isRoot { return true }
    let known = state.withLock { state in
      if let last = state.last, last.path == path { return Bool?.some(last.isThere) }
      return state.directories[path]
    }
    if let known { return known }
    // One below a directory that is not there is not there either.
    var isThere = try canHold(path.parent)
    if isThere {
      do throws(HyperslabError) { isThere = try files.status(path) != nil } catch {
        guard error.code == .foreign else { throw error }
      }
    }
    state.withLock { state in
      state.directories[path] = isThere
      state.last = (path, isThere)
    }
    return isThere
  }
}
