import Foundation
import Testing

/// Few open files are enough, or the tool says so.
@Suite struct LimitTests {
  private let directory: URL

  init() throws {
    directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("slab-limits-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    try Data((0..<64_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) })
      .write(to: directory.appendingPathComponent("a.bin"))
  }

  /// Runs the tool under a limit of the shell's.
  private func run(_ limit: String, _ line: String) throws -> (code: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.currentDirectoryURL = directory
    process.arguments =
      ["-c", "ulimit \(limit); exec \"$0\" \"$@\"", try Tool.executable().path]
      + line.split(separator: " ").map(String.init)
    let output = directory.appendingPathComponent("out")
    try Data().write(to: output)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: output)
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationReason == .exit)
    return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
  }

  private static let shape = "--raw --dtype uint8 --shape 64,1000 --chunk-shape 64,2 --quiet"

  @Test(arguments: [20, 40]) func narrowChunksWithFewOpenFiles(_ limit: Int) throws {
    defer { try? FileManager.default.removeItem(at: directory) }
    for line in [
      "import a.bin s.slab/x \(Self.shape)", "import a.bin s.slab/x \(Self.shape) --overwrite",
      "verify s.slab", "attr set s.slab/x k 5", "repair s.slab", "rm s.slab/x", "verify s.slab",
    ] {
      let (code, text) = try run("-n \(limit)", line)
      #expect(code == 0, "\(line): \(text)")
    }
  }

  @Test func tooFewOpenFilesAreNamed() throws {
    defer { try? FileManager.default.removeItem(at: directory) }
    let (code, text) = try run("-n 8", "import a.bin s.slab/x \(Self.shape)")
    #expect(code == 2)
    #expect(text.contains("ulimit -n"), "\(text)")
    #expect(try run("-n 256", "import a.bin s.slab/x \(Self.shape)").code == 0)
    #expect(try run("-n 256", "verify s.slab").code == 0)
  }
}
