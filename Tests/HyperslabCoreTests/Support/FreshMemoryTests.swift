import Testing

@testable import HyperslabCore

@Suite struct FreshMemoryTests {
  #if os(Linux)
    @Test func untilItIsTouched() {
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 26, alignment: 64)
      defer { memory.deallocate() }
      #expect(FreshMemory.contains(memory))
      #expect(DisjointMemory(memory)?.isOutOfCache == false)
      memory[memory.count / 2] = 1
      #expect(!FreshMemory.contains(memory))
      #expect(DisjointMemory(memory)?.isOutOfCache == true)
    }
  #endif

  @Test func littleIsAlwaysInTheCache() {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { memory.deallocate() }
    memory.initializeMemory(as: UInt8.self, repeating: 1)
    #expect(DisjointMemory(memory)?.isOutOfCache == false)
  }
}
