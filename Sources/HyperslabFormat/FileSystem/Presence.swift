import HyperslabCore
import Synchronization

/// Tells of many names whether there is something. Of directories that are not there the system is asked
/// once, and one in which many files were missed is listed: an index can name a great many that are not there.
///
/// For as long as it does not matter whether somebody makes such directories meanwhile.
final class Presence: Sendable {
  private struct State {
    var directories: [StorePath: Bool] = [:]
    /// Most questions are about what was asked last.
    var last: (path: StorePath, isThere: Bool)?
    /// How many files were missed in a directory.
    var missed: [StorePath: Int] = [:]
    /// What is in those where there were many.
    var names: [StorePath: Set<String>] = [:]
  }

  /// After so many a directory is listed; of a longer list than that nothing is kept.
  private static let mostMissed = 16
  private static let mostNames = 100_000

  private let files: any FileSystem
  private let state = Mutex(State())

  init(files: any FileSystem) { self.files = files }

  /// Whether something has a name.
  func holds(_ path: StorePath) throws(HyperslabError) -> Bool {
    guard try canHold(path.parent) else { return false }
    return try files.status(path) != nil
  }

  /// Whether a file can be there, as far as that is known without asking for it.
  func canHold(file path: StorePath) throws(HyperslabError) -> Bool {
    let parent = path.parent
    guard try canHold(parent) else { return false }
    return state.withLock { $0.names[parent]?.contains(path.name) ?? true }
  }

  /// Takes notice of a file that was not there.
  func miss(_ path: StorePath) throws(HyperslabError) {
    let parent = path.parent
    let isMany = state.withLock { state in
      state.missed[parent, default: 0] += 1
      return state.missed[parent] == Self.mostMissed
    }
    guard isMany, try files.status(parent)?.kind == .directory else { return }
    let names = try files.list(parent)
    if names.count <= Self.mostNames {
      state.withLock { $0.names[parent] = Set(names.map(\.name)) }
    }
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
