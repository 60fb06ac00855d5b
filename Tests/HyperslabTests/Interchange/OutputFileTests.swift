import Foundation
import Hyperslab
import SystemPackage
import Testing

/// Files that appear whole, and what becomes of what was there.
@Suite struct OutputFileTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.path.string).sorted()
  }

  @Test func aCancelledOutputLeavesWhatWasThere() throws {
    let path = try directory.write([1, 2, 3], to: "out")
    let cancellation = Cancellation()
    do {
      let file = try OutputFile(path, cancellation: cancellation)
      try file.write(bytes: [4, 5])
      cancellation.cancel()
      for body in [{ try file.write(bytes: [6]) }, { try file.finish() }] {
        let error = #expect(throws: HyperslabError.self) { try body() }
        #expect(error?.code == .cancelled)
      }
    }
    #expect(try directory.bytes(of: "out") == [1, 2, 3])
    #expect(try names() == ["out"])
  }

  @Test func aProtectedFileIsNotReplaced() throws {
    let path = try directory.write([1], to: "out")
    #expect(chmod(path.string, 0o444) == 0)
    // Root may write to anything.
    if access(path.string, W_OK) == 0 { return }
    let error = #expect(throws: HyperslabError.self) { try OutputFile(path) }
    #expect(error?.code == .fileAccess)
    #expect(try names() == ["out"])
  }

  @Test func nothingGoesIntoAStore() throws {
    let store = directory.path.appending("s.slab")
    try SlabStore.create(at: store).close()
    try FileManager.default.createDirectory(
      atPath: store.appending("g").string, withIntermediateDirectories: true)
    for path in [
      store.appending("x"), store.appending("g").appending("x"), store.appending("slab.json"),
    ] {
      let error = #expect(throws: HyperslabError.self) { try OutputFile(path) }
      #expect(error?.code == .invalidValue)
    }
    #expect(try SlabStore.open(store).nodes().count == 1)
  }

  @Test func aStreamThatDoesNotWaitIsWaitedFor() throws {
    let (read, write) = try FileDescriptor.pipe()
    #expect(fcntl(write.rawValue, F_SETFL, O_NONBLOCK) == 0)
    let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    let reader = Thread {
      var count = 0
      var buffer = [UInt8](repeating: 0, count: 4096)
      while count < 1_000_000 {
        count += (try? buffer.withUnsafeMutableBytes { try read.read(into: $0) }) ?? 1_000_000
      }
    }
    reader.start()
    let file = OutputFile(stream: write)
    try file.write(bytes: bytes)
    try file.finish()
    try write.close()
  }
}
