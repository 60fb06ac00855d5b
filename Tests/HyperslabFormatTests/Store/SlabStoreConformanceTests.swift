import HyperslabCore
import HyperslabFormat
import HyperslabTestSupport
import Testing

@Suite struct SlabStoreConformanceTests {
  @Test(arguments: StoreCheck.allCases)
  func conforms(_ check: StoreCheck) throws {
    let directory = try TemporaryDirectory()
    let conformance = StoreConformance<SlabStore>(trials: 12) { store in
      try store.close()
      return try SlabStore.open(store.path, mode: .readWrite)
    } makeStore: {
      let name = "\(UInt64.random(in: 0...UInt64.max)).slab"
      return try SlabStore.create(at: directory.path.appending(name))
    }
    try conformance.run(check)
  }
}
