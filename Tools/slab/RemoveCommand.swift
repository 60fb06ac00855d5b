import ArgumentParser
import Hyperslab

struct RemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Removes a data set, or a group with all it holds.")

  @Argument(help: "A data set or group: recording.slab/ecephys/lfp.")
  var address: String

  func run() throws {
    let address = try StoreAddress(existing: address)
    guard address.node != .root else {
      throw HyperslabError(
        .invalidName, "this is the whole store", at: "\(address)",
        remedy: "Name a node in it, or remove all of it: rm -r -- "
          + ShellWords.quoted("\(address.store)"))
    }
    let store = try SlabStore.open(address.store, mode: .readWrite)
    try store.remove(address.node)
    try store.commit()
    try store.close()
    tellNotes(of: store)
  }
}
