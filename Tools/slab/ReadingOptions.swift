import ArgumentParser
import Hyperslab

/// The flags of verbs that only read.
struct ReadingOptions: ParsableArguments {
  @Flag(
    help: ArgumentHelp(
      "Read through symbolic links in the store, wherever they point.",
      discussion: "For stores that git-annex or DataLad keeps."))
  var followLinks = false

  func open(_ address: StoreAddress) throws(HyperslabError) -> SlabStore {
    try SlabStore.open(address.store, followingLinks: followLinks)
  }
}
