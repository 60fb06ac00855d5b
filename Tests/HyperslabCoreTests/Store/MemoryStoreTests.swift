import HyperslabCore
import HyperslabTestSupport
import Testing

@Suite struct MemoryStoreTests {
  @Test(arguments: StoreCheck.allCases)
  func conforms(_ check: StoreCheck) throws {
    try StoreConformance { MemoryStore() }.run(check)
  }

  @Test func keepsItsContentForAsLongAsItLives() throws {
    let conformance = StoreConformance(reopen: { $0 }, makeStore: { MemoryStore() })
    try conformance.run(.reopening)
  }

  @Test func refusesGroupAttributesThatJSONCannotHold() throws {
    let path = try NodePath("g")
    let error = #expect(throws: HyperslabError.self) {
      try MemoryStore().createGroup(path, attributes: ["x": .double(.nan)])
    }
    #expect(error?.code == .invalidValue)
  }
}
