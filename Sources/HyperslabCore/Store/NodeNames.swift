/// The names of a store's nodes in lower case, since some file systems take names for the same that differ
/// in no more; and the rules for new ones.
package struct NodeNames: Sendable {
  /// What stands at a path.
  package enum Kind: Sendable { case group, dataset }

  private var known: [String: NodePath] = [:]

  /// No names.
  package init() {}

  /// The node whose name is the same but for letter case.
  package subscript(path: NodePath) -> NodePath? { known[path.description.lowercased()] }

  package mutating func add(_ path: NodePath) { known[path.description.lowercased()] = path }

  /// Adds a new node and the groups above it that are missing.
  ///
  /// - Parameters:
  ///   - kind: What stands at a path now.
  ///   - place: Names the node to the user.
  /// - Throws: `already_exists` for a node that is there, or a data set above it; `invalid_name` where a
  ///   name differs from another only in letter case; `limit` for too many nodes.
  package mutating func insert(
    _ path: NodePath, at place: String, kind: (NodePath) -> Kind?
  ) throws(HyperslabError) {
    if let kind = kind(path) {
      throw HyperslabError(
        .alreadyExists, "a \(kind == .group ? "group" : "data set") of that name exists",
        at: place,
        remedy: kind == .group
          ? "Choose another name, or one in it" : "Choose another name, or ask to overwrite")
    }
    var new = self[path] == path ? [] : [path]
    // Where a group is, those above it are.
    var above = path.parent
    while let ancestor = above {
      let found = kind(ancestor)
      if found == .dataset {
        throw HyperslabError(
          .alreadyExists, "\"\(ancestor)\" is a data set", at: place,
          remedy: "Choose a name outside it")
      }
      if found == .group { break }
      if self[ancestor] != ancestor { new.append(ancestor) }
      above = ancestor.parent
    }
    if let twin = new.compactMap({ self[$0] }).first {
      throw HyperslabError(
        .invalidName, "a name that differs from \"\(twin)\" only in letter case", at: place,
        remedy: "Some disks take them for one: use that name, or another")
    }
    guard known.count + new.count <= StoreLimits.nodeCount else {
      throw HyperslabError(
        .limit, "one more node than a store can hold", at: place,
        expected: "at most \(StoreLimits.nodeCount)",
        remedy: "Spread the data over several stores")
    }
    for path in new { add(path) }
  }

  /// Refuses a data set without a name.
  package static func checkDataset(
    _ path: NodePath, at place: String
  ) throws(HyperslabError) {
    if path == .root {
      throw HyperslabError(
        .invalidName, "a data set needs a name", at: place, remedy: "Name it, as in \"group/name\"")
    }
  }
}
