import ArgumentParser
import Hyperslab

struct ListCommand: PrintingCommand, JSONPrinting {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "Shows the groups and data sets of a store as a tree.")

  @Argument(help: "A store, or a group in it.")
  var address: String

  @Flag(name: .shortAndLong, help: "Show chunks, filter and state too.")
  var long = false

  @Flag(help: "Print one JSON document.")
  var json = false

  @OptionGroup var reading: ReadingOptions

  func run(_ printer: Printer) throws {
    let address = try StoreAddress(existing: address)
    let store = try reading.open(address)
    _ = try store.node(address.node)
    let nodes = store.nodes().filter {
      $0.path == address.node || $0.path.isDescendant(of: address.node)
    }
    if json {
      try printer.document(document(store, nodes), pretty: true)
    } else {
      try printer.table(tree(address, nodes))
    }
  }

  private func document(_ store: SlabStore, _ nodes: [NodeInfo]) -> JSONValue {
    [
      "store": .string(store.path.string), "uuid": .string(store.uuid),
      "commit": .integer(store.commitNumber), "state": .string(store.state),
      "nodes": .array(nodes.map(\.json)),
    ]
  }

  private func tree(_ address: StoreAddress, _ nodes: [NodeInfo]) -> TextTable {
    var table = TextTable([.left, .left, .left, .right, .right, .right, .left, .left, .left])
    let tree = NodeTree(nodes.map(\.path), root: address.node)
    for (node, branch) in zip(nodes, tree.branches) {
      let name = branch.isEmpty ? "\(address)" : branch + node.path.name
      switch node {
      case .group: table.add(name)
      case .dataset(let info): add(info, name, to: &table)
      }
    }
    return table
  }

  private func add(_ info: DatasetInfo, _ name: String, to table: inout TextTable) {
    let description = info.description
    let unwritten = info.missingChunks == 0 ? "" : "\(unwrittenShare(info)) unwritten"
    table.add(
      name, "\(description.shape)", description.dataType.rawValue,
      HumanText.size(info.logicalByteCount), HumanText.size(info.storedByteCount),
      HumanText.ratio(info.ratio), long ? "chunks \(description.chunkShape)" : unwritten,
      long ? "\(info.filterText), level \(info.level)" : "",
      long ? "\(chunkCounts(info)), commit \(info.commit), \(info.state)" : "")
  }

  private func unwrittenShare(_ info: DatasetInfo) -> String {
    let share = 100 * Double(info.missingChunks) / Double(Swift.max(1, info.totalChunks))
    return share < 1 ? "less than 1 %" : "\(Int(share)) %"
  }

  private func chunkCounts(_ info: DatasetInfo) -> String {
    var parts = ["\(HumanText.grouped(info.storedChunks)) stored"]
    if info.fillChunks > 0 { parts.append("\(HumanText.grouped(info.fillChunks)) fill") }
    if info.missingChunks > 0 { parts.append("\(HumanText.grouped(info.missingChunks)) unwritten") }
    return parts.joined(separator: ", ")
  }
}

/// The lines that join the nodes of a tree.
struct NodeTree {
  /// What stands before each node's name; empty for the root.
  let branches: [String]

  /// Draws nodes given in order, each after its parent.
  init(_ paths: [NodePath], root: NodePath) {
    let parents = paths.map(\.parent)
    var last: [NodePath: NodePath] = [:]
    for (path, parent) in zip(paths, parents) { if let parent { last[parent] = path } }
    // What stands before all that a node holds: its parent's and one column more.
    var columns: [NodePath: String] = [:]
    branches = zip(paths, parents).map { path, parent in
      guard path != root, let parent else { return "" }
      let before = columns[parent] ?? ""
      let isLast = last[parent] == path
      columns[path] = before + (isLast ? "   " : "│  ")
      return before + (isLast ? "└─ " : "├─ ")
    }
  }
}
