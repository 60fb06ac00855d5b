import ArgumentParser
import Hyperslab

struct AdoptCommand: ChangingCommand, JSONPrinting {
  static let configuration = CommandConfiguration(
    commandName: "adopt",
    abstract: "Takes in what Zarr tools wrote into a store, and says what it could not take.",
    discussion: """
      Attributes, arrays that were appended to, chunks, new groups and arrays become part of the \
      store in one commit, if they are sound and of a kind that a store can hold. What is not stays \
      as it is and is named. Attributes that change or go are named, too, and kept as they were in \
      __slab/lost. Exits with 1 when something could not be taken.
      """)

  @Argument(help: "The store.")
  var store: String

  @Flag(help: "Print one JSON document.")
  var json = false

  func run(_ printer: Printer) throws {
    let address = try StoreAddress(existing: store)
    guard address.node == .root else {
      throw HyperslabError(
        .wrongKind, "a whole store is looked through, not a part of it", at: "\(address)",
        remedy: "slab adopt \(ShellWords.quoted("\(address.store)"))")
    }
    let report = try SlabStore.adopt(address.store)
    if json { try printer.document(report.json) } else { try printText(report, address, printer) }
    if !report.left.isEmpty { throw ExitCode(1) }
  }

  private func printText(
    _ report: AdoptionReport, _ address: StoreAddress, _ printer: Printer
  ) throws(HyperslabError) {
    var table = TextTable([.left, .left, .left])
    for item in report.taken {
      table.add("taken", item.path, item.detail + (item.chunk.map { " \($0)" } ?? ""))
    }
    for item in report.left {
      table.add("left", item.path, item.detail + (item.chunk.map { ", chunk \($0)" } ?? ""))
    }
    try printer.table(table)
    if report.taken.isEmpty && report.left.isEmpty {
      try printer.line("\(address): nothing of other programs")
    } else {
      try printer.line(
        "\(address): \(report.taken.count) taken, \(report.left.count) left; "
          + "commit \(report.commitAfter)")
      if !report.left.isEmpty {
        try printer.line(
          "What is left is not part of the store. Mend it and adopt again, or move it elsewhere")
      }
    }
  }
}
