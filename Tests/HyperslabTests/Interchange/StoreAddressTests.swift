import Foundation
import Hyperslab
import SystemPackage
import Testing

@Suite struct StoreAddressTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    for name in ["a.slab", "plain", "a.slab/group/inner.slab"] {
      try FileManager.default.createDirectory(
        atPath: directory.path.appending(name).string, withIntermediateDirectories: true)
    }
    _ = try directory.write([], to: "a.slab/slab.json")
  }

  private func path(_ name: String) -> String { "\(directory.path)/\(name)" }

  @Test func theNearestStoreAboveIsFound() throws {
    let cases = [
      ("a.slab", ""), ("a.slab/", ""), ("a.slab/x/y", "x/y"), ("plain/../a.slab//x/", "x"),
      ("a.slab/group/inner.slab/x", "group/inner.slab/x"),
    ]
    for (text, node) in cases {
      let address = try StoreAddress(existing: path(text))
      #expect(address.store == directory.path.appending("a.slab"))
      #expect(address.node.description == node)
      #expect(try StoreAddress(creating: path(text)) == address)
    }
  }

  @Test func whereThereIsNoneItIsAnError() throws {
    for text in ["plain", "absent/x", ""] {
      #expect { try StoreAddress(existing: path(text)) } throws: {
        ($0 as? HyperslabError)?.code == .notFound
      }
    }
  }

  @Test func newStoresEndInSlabOrBeforeTheLastName() throws {
    let cases = [
      ("b.slab/x/y", "b.slab", "x/y"), ("b.slab/c.slab/d", "b.slab", "c.slab/d"),
      ("out/b/x", "out/b", "x"), ("b.slab", "b.slab", ""),
    ]
    for (text, store, node) in cases {
      let address = try StoreAddress(creating: path(text))
      #expect(address.store == directory.path.appending(store))
      #expect(address.node.description == node)
    }
    for text in ["x", "../x", "/x", "/"] {
      #expect { try StoreAddress(creating: text) } throws: {
        ($0 as? HyperslabError)?.code == .invalidName
      }
    }
  }

  @Test func aStoreThatLostItsIndexIsStillAddressed() throws {
    try FileManager.default.createDirectory(
      atPath: path("lost.slab/__slab"), withIntermediateDirectories: true)
    let address = try StoreAddress(damaged: path("lost.slab/x"))
    #expect(address.store == directory.path.appending("lost.slab"))
    #expect(address.node.description == "x")
  }

  /// Some Zarr tools want a path that ends so.
  @Test func aStoreMayBeCalledAsZarrToolsLikeIt() throws {
    let address = try StoreAddress(creating: "nowhere/rec.zarr/ecephys/lfp")
    #expect(address.store == "nowhere/rec.zarr" && "\(address.node)" == "ecephys/lfp")
  }
}
