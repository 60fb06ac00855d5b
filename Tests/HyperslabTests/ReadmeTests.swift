import Foundation
import Hyperslab
import SystemPackage
import Testing

/// The README's example, compiled, run and held against the page.
@Suite struct ReadmeTests {
  private func example(_ path: FilePath) throws -> Shape {
    // README begins
    let shape: Shape = [20_000, 64]
    let samples = (0..<20_000 * 64).map { Int16(truncatingIfNeeded: $0 % 1009) }
    let source = try InMemorySource(elements: samples, shape: shape)  // or your own DataChunkSource
    let iterator = try GenericDataChunkIterator(source, bufferGB: 0.5, chunkMB: 1)
    let store = try SlabStore.create(at: path)
    try store.write(iterator, to: "ecephys/lfp")  // shape, type and chunks come along
    try store.close()

    let lfp = try SlabStore.open(path).dataset("ecephys/lfp")
    let window = try lfp.read(Int16.self, [0..<3_000, 12...])  // NDArray<Int16> of (3000, 52)
    print(iterator.chunkShape, iterator.bufferShape, iterator.bufferCount, window.shape)
    // README ends
    #expect(window[2, 1] == Int16((2 * 64 + 13) % 1009))
    return window.shape
  }

  @Test func exampleRuns() throws {
    let directory = try TemporaryDirectory()
    #expect(try example(directory.path.appending("recording.slab")) == [3_000, 52])
  }

  @Test func pageShowsTheSameCode() throws {
    let here = URL(fileURLWithPath: #filePath)
    let page = here.deletingLastPathComponent().appendingPathComponent("../../README.md")
    let code = try String(contentsOf: here, encoding: .utf8)
      .components(separatedBy: "// README begins\n")[1]
      .components(separatedBy: "    // README ends")[0]
    let plain = code.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.hasPrefix("    ") ? String($0.dropFirst(4)) : String($0) }
      .joined(separator: "\n")
    #expect(try String(contentsOf: page, encoding: .utf8).contains(plain))
  }
}
