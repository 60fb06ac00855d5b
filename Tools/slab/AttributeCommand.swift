import ArgumentParser
import Hyperslab

struct AttributeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attr", abstract: "Reads and changes attributes.",
    subcommands: [Get.self, Set.self, Remove.self])

  struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints an attribute, or all of them, as JSON.")

    @Argument(help: "A store, or a group or data set in it.")
    var address: String

    @Argument(help: "Which one (default: all).")
    var key: String?

    func run() throws {
      let address = try StoreAddress(existing: address)
      let attributes =
        switch try SlabStore.open(address.store).node(address.node) {
        case .group(_, let attributes): attributes
        case .dataset(let info): info.description.attributes
        }
      guard let key else {
        print(JSONValue.object(attributes).text(pretty: true))
        return
      }
      guard let value = attributes[key] else {
        throw HyperslabError(.notFound, "no attribute \"\(key)\"", at: "\(address)")
      }
      print(value.text(pretty: true))
    }
  }

  struct Set: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Sets an attribute.")

    @Argument(help: "A store, or a group or data set in it.")
    var address: String

    @Argument(help: "Which one.")
    var key: String

    @Argument(help: "Its value as JSON; text needs quotes of its own: '\"mV\"'.")
    var value: String

    func run() throws {
      let value: JSONValue
      do throws(HyperslabError) { value = try JSONParser.parse(self.value.utf8) } catch {
        throw HyperslabError(
          .invalidJSON, "the value of \"\(key)\" is no JSON", found: self.value,
          remedy: "Text needs quotes of its own: '\"\(self.value)\"'")
      }
      try change(address, key, to: value)
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

private func change(_ text: String, _ key: String, to value: JSONValue?) throws {
  let address = try StoreAddress(existing: text)
  let store = try SlabStore.open(address.store, mode: .readWrite)
  try store.setAttribute(key, value, of: address.node)
  try store.commit()
  try store.close()
  warnUnsettled(store)
}
