import HyperslabCore
import Synchronization

/// The derived files that an index implies, in every form, worked out once: what a file is found to be is
/// asked node by node and look by look, and what it is held against follows from all nodes.
final class DerivedForms: Sendable {
  /// What may stand in a node's file, by hashes of the bytes.
  struct Forms: Sendable {
    fileprivate(set) var all: Set<Int> = []
    /// What does not say what the index leaves open.
    fileprivate(set) var plain: Int?
  }

  private struct State {
    var documents: [NodePath: [UInt8]]?
    var forms: [NodePath: Forms] = [:]
  }

  private let index: StoreIndex
  private let state = Mutex(State())

  init(_ index: StoreIndex) { self.index = index }

  /// What every node's file must be.
  var documents: [NodePath: [UInt8]] {
    if let known = state.withLock({ $0.documents }) { return known }
    let documents = ZarrMetadata.files(of: index)
    state.withLock { $0.documents = documents }
    return documents
  }

  /// What may stand in the files of some nodes while, or after, this is the newest index.
  func forms(of nodes: Set<NodePath>) -> [NodePath: Forms] {
    let known = state.withLock { $0.forms }
    let open = nodes.filter { known[$0] == nil }
    if open.isEmpty { return known }
    var forms: [NodePath: Forms] = [:]
    for path in open { forms[path] = Forms() }
    let full = state.withLock({ $0.documents }) ?? ZarrMetadata.files(of: index, only: open)
    for path in open {
      if let bytes = full[path] { forms[path]?.all.insert(Self.hash(bytes)) }
    }
    for (path, bytes) in ZarrMetadata.files(of: index, only: open, form: .plain) {
      forms[path]?.plain = Self.hash(bytes)
      forms[path]?.all.insert(Self.hash(bytes))
    }
    for path in open {
      guard case .group? = index.nodes[path], let node = index.nodes[path] else { continue }
      forms[path]?.all.insert(Self.hash(ZarrMetadata.plainFile(of: node)))
    }
    return state.withLock { state in
      state.forms.merge(forms) { _, new in new }
      return state.forms
    }
  }

  /// A hash of a file's bytes, with this process's own seed, so that nobody can make another file of it.
  static func hash(_ bytes: [UInt8]) -> Int {
    var hasher = Hasher()
    unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    return hasher.finalize()
  }
}
