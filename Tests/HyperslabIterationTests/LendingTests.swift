import HyperslabCore
import HyperslabIteration
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Sources that lend their memory in another way than they may: told as the source's fault, and no buffer is
/// used twice.
@Suite struct LendingTests {
  enum Fault: String, CaseIterable, Sendable {
    /// Calls the body twice.
    case twice
    /// Calls it twice and drops what the first call threw.
    case again
    /// Calls it and says that nothing was lent.
    case forgets
    /// Calls it and throws after that.
    case throwsAfter
  }

  private struct Wrong: DataChunkSource {
    struct Failure: Error {}
    let fault: Fault
    let shape: Shape = [8]
    let dataType = DataType.int32
    private let elements = (0..<8).map { Int32($0) }

    init(_ fault: Fault) { self.fault = fault }

    func read(_ selection: Selection, into buffer: inout OutputRawSpan) throws {
      try InMemorySource(elements: elements, shape: shape).read(selection, into: &buffer)
    }

    func withBytes<R>(
      of selection: Selection, _ body: (RawSpan, StridedLayout) throws -> R
    ) throws -> R? {
      let source = try InMemorySource(elements: elements, shape: shape)
      let result = try? source.withBytes(of: selection, body)
      switch fault {
      case .twice: return try source.withBytes(of: selection, body)
      case .again: return try source.withBytes(of: selection, body) ?? result
      case .forgets: return nil
      case .throwsAfter: throw Failure()
      }
    }
  }

  private func iterator(_ fault: Fault) throws -> GenericDataChunkIterator<Wrong> {
    try GenericDataChunkIterator(Wrong(fault), bufferShape: [4], chunkShape: [4])
  }

  private func expectSourceFailed(_ body: () throws -> Void) {
    #expect {
      try body()
    } throws: { error in
      (error as? HyperslabError)?.code == .sourceFailed
        && "\(error)".contains("selection")
    }
  }

  @Test(arguments: Fault.allCases)
  func noBufferIsUsedTwice(_ fault: Fault) throws {
    var seen: [Selection] = []
    expectSourceFailed {
      try iterator(fault).forEachBuffer { selection, _ in seen.append(selection) }
    }
    #expect(seen == [Selection([0..<4])])
    expectSourceFailed { _ = try iterator(fault).next() }
  }

  @Test(arguments: Fault.allCases)
  func nothingIsWritten(_ fault: Fault) throws {
    let store = MemoryStore()
    expectSourceFailed { try store.write(try iterator(fault), to: "x") }
    #expect(throws: HyperslabError.self) { try store.dataset("x") }
  }

  @Test(arguments: Fault.allCases)
  func nothingIsLentToAsynchronousCode(_ fault: Fault) async throws {
    let iterator = try iterator(fault)
    do {
      for try await _ in iterator {}
      Issue.record("no error")
    } catch { #expect((error as? HyperslabError)?.code == .sourceFailed) }
  }

  /// What the caller's own code throws stays its own.
  @Test func theBodysErrorIsNotTheSources() throws {
    struct Own: Error {}
    let source = try InMemorySource(elements: (0..<8).map { Int32($0) }, shape: [8])
    let iterator = try GenericDataChunkIterator(source, bufferShape: [4], chunkShape: [4])
    #expect(throws: Own.self) { try iterator.forEachBuffer { _, _ in throw Own() } }
  }

  /// In a process of its own, which may use little more memory than it has.
  @Test func aConversionWithoutMemoryIsTold() async {
    await #expect(processExitsWith: .success) {
      let count = 64 << 20
      let chunk = try DataChunk(
        selection: Selection([0..<count]), elements: [Int8](repeating: 1, count: count))
      var limit = rlimit()
      #if os(Linux)
        let resource = __rlimit_resource_t(UInt32(RLIMIT_AS.rawValue))
      #else
        let resource = RLIMIT_AS
      #endif
      limit.rlim_cur = 1 << 30
      limit.rlim_max = 1 << 30
      guard setrlimit(resource, &limit) == 0 else { exit(2) }
      do throws(HyperslabError) {
        _ = try chunk.converted(to: .complex128)
        exit(3)
      } catch { exit(error.code == .outOfMemory ? 0 : 4) }
    }
  }
}
