import ArgumentParser
import Hyperslab

struct InfoCommand: PrintingCommand, JSONPrinting {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Shows one group or data set in full, with statistics from the index.")

  @Argument(help: "A store, or a group or data set in it.")
  var address: String

  @Flag(help: "Print one JSON document.")
  var json = false

  @Flag(help: "Draw which chunks are stored.")
  var chunks = false

  @OptionGroup var reading: ReadingOptions

  func run(_ printer: Printer) throws {
    let address = try StoreAddress(existing: address)
    let store = try reading.open(address)
    let node = try store.node(address.node)
    if json {
      return try printer.document(node.json, pretty: true)
    }
    var table = TextTable([.left, .left])
    switch node {
    case .group(_, let attributes):
      table.add("group", "\(address)")
      if address.node == .root { addStore(store, to: &table) }
      add(attributes, to: &table)
    case .dataset(let info):
      add(info, address, to: &table)
      for note in store.zarrNotes(of: address.node) { table.add("in Zarr", note) }
    }
    try printer.table(table)
    if chunks, case .dataset = node { try printMap(store.dataset(address.node), printer) }
  }

  private func addStore(_ store: SlabStore, to table: inout TextTable) {
    table.add("uuid", store.uuid)
    table.add("commit", "\(store.commitNumber), \(store.state)")
    let nodes = store.nodes()
    let infos = nodes.compactMap { if case .dataset(let info) = $0 { info } else { nil } }
    let logical = HumanText.sum(infos.map(\.logicalByteCount))
    let stored = HumanText.sum(infos.map(\.storedByteCount))
    table.add(
      "holds",
      "\(HumanText.count(infos.count, "data set")), \(HumanText.count(nodes.count - infos.count, "group"))"
    )
    table.add("size", "\(HumanText.size(logical)), stored as \(HumanText.size(stored))")
  }

  private func add(_ info: DatasetInfo, _ address: StoreAddress, to table: inout TextTable) {
    let description = info.description
    let chunkByteCount = description.chunkShape.elementCount.map {
      $0 * description.dataType.byteCount
    }
    table.add("dataset", "\(address)")
    table.add("shape", "\(description.shape)")
    let limits = description.maximumShape
    if limits != description.shape.map({ $0 }) {
      table.add("grows to", limits.map { $0.map(String.init) ?? "any" }.joined(separator: ", "))
    }
    table.add("type", description.dataType.rawValue)
    if let names = description.dimensionNames {
      table.add("axes", names.map { $0 ?? "–" }.joined(separator: ", "))
    }
    if let unit = description.unit { table.add("unit", unit) }
    table.add("fill value", description.fillValue.json.text())
    table.add("chunk", "\(description.chunkShape), \(HumanText.size(chunkByteCount))")
    table.add("chunks", chunkText(info))
    table.add(
      "codec",
      "\(info.filterText) + lz4, level \(info.level), blocks of \(blockText(info))")
    table.add(
      "size",
      "\(HumanText.size(info.logicalByteCount)), stored as \(HumanText.size(info.storedByteCount)), "
        + "ratio \(HumanText.ratio(info.ratio))")
    addStatistics(info, to: &table)
    table.add("commit", "\(info.commit), \(info.state)")
    add(description.attributes, to: &table)
  }

  private func blockText(_ info: DatasetInfo) -> String {
    info.blockByteCount % 1024 == 0
      ? "\(info.blockByteCount / 1024) KiB" : "\(info.blockByteCount) B"
  }

  private func chunkText(_ info: DatasetInfo) -> String {
    let parts = [
      (info.storedChunks, "stored"), (info.fillChunks, "fill"),
      (info.missingChunks, "never written"),
    ]
    let counts = parts.filter { $0.0 > 0 }.map { "\(HumanText.grouped($0.0)) \($0.1)" }
    return "\(info.grid.gridShape), \(HumanText.grouped(info.totalChunks)) in all"
      + (counts.isEmpty ? "" : ": " + counts.joined(separator: ", "))
  }

  private func addStatistics(_ info: DatasetInfo, to table: inout TextTable) {
    let type = info.description.dataType
    if let low = info.statistics.minimum, let high = info.statistics.maximum {
      table.add("values", "\(low.text(type)) to \(high.text(type))")
    }
    if info.statistics.nanCount > 0 {
      table.add("NaN", HumanText.grouped(info.statistics.nanCount))
    }
  }

  private func add(_ attributes: JSONObject, to table: inout TextTable) {
    for (index, attribute) in attributes.enumerated() {
      table.add(index == 0 ? "attributes" : "", "\(attribute.key) = \(attribute.value.text())")
    }
  }

  private func printMap(
    _ dataset: SlabDataset, _ printer: Printer
  ) throws(HyperslabError) {
    let map = try ChunkMap(dataset)
    try printer.line("")
    for line in map.lines { try printer.line(line) }
    let scale =
      map.scale == (1, 1)
      ? "" : "; a mark stands for \(map.scale.rows) × \(map.scale.columns) chunks"
    try printer.line("█ stored  ░ fill  · never written\(scale)")
  }
}
