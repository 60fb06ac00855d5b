import ArgumentParser
import Hyperslab

struct AttributeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attr", abstract: "Reads and changes attributes.",
    subcommands: [Get.self, Set.self, Remove.self])

  struct Get: PrintingCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints an attribute, or all of them, as JSON.")

    @Argument(help: "A store, or a group or data set in it.")
    var address: String

    @Argument(help: "Which one (default: all).")
    var key: String?

    @OptionGroup var reading: ReadingOptions

    func run(_ printer: Printer) throws {
      let address = try StoreAddress(existing: address)
      let attributes =
        switch try reading.open(address).node(address.node) {
        case .group(_, let attributes): attributes
        case .dataset(let info): info.description.attributes
        }
      guard let key else { return try printer.document(.object(attributes), pretty: true) }
      guard let value = attributes[key] else { throw missing(key, attributes, address) }
      try printer.document(value, pretty: true)
    }
  }

  struct Set: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sets an attribute.")

    @Argument(help: "A store, or a group or data set in it.")
    var address: String

    @Argument(help: "Which one.")
    var key: String

    @Argument(
      help: ArgumentHelp(
        "Its value as JSON; text needs quotes of its own: '\"mV\"'.",
        discussion: "@file takes what a file holds, - standard input."))
    var value: String

    func run() throws {
      try change(address, key, to: JSONArgument(text: value, key: key).value())
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rm", abstract: "Removes an attribute.")

    @Argument(help: "A store, or a group or data set in it.")
    var address: String

    @Argument(help: "Which one.")
    var key: String

    func run() throws { try change(address, key, to: nil) }
  }
}

private func missing(
  _ key: String, _ attributes: JSONObject, _ address: StoreAddress
) -> HyperslabError {
  HyperslabError(
    .notFound, "no attribute \"\(key)\"", at: "\(address)",
    found: attributes.isEmpty
      ? "none"
      : attributes.keys.prefix(8).joined(separator: ", ") + (attributes.count > 8 ? ", …" : ""),
    remedy: "slab attr get \(ShellWords.quoted("\(address)")) shows them all")
}

private func change(_ text: String, _ key: String, to value: JSONValue?) throws {
  let address = try StoreAddress(existing: text)
  let store = try SlabStore.open(address.store, mode: .readWrite)
  if value == nil {
    let attributes = try store.node(address.node).attributes
    if attributes[key] == nil { throw missing(key, attributes, address) }
  }
  try store.setAttribute(key, value, of: address.node)
  try store.commit()
  try store.close()
  tellNotes(of: store)
}
