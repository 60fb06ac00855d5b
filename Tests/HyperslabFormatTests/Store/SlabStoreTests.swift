import HyperslabCore
import HyperslabFormat
import Testing

@Suite struct SlabStoreTests {
  @Test func readsBackWhatWasWritten() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("small.slab")
    try SmallStore.write(at: path)
    let store = try SlabStore.open(path)
    #expect(store.state == "complete")
    let ramp = try store.dataset(try NodePath("a/ramp"))
    #expect(try ramp.read(Int16.self).elements == SmallStore.ramp)
    #expect(
      try ramp.read(Int16.self, [3..<5, 7]).elements == [SmallStore.ramp[97], SmallStore.ramp[127]])
    #expect(try store.dataset(try NodePath("wave")).read(Float.self).elements == SmallStore.wave)
    let flags = try store.dataset(try NodePath("a/flags"))
    #expect(try flags.read(UInt8.self).elements == SmallStore.flags)
    #expect(try flags.state(of: [0]) == .fill)
    #expect(flags.info.storedChunks == 1 && flags.info.fillChunks == 1)
  }
}
