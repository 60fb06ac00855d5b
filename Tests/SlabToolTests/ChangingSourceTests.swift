import Foundation
import Testing

/// A file that somebody changes while the tool imports it: exit 2 and `source_changed`, never a signal.
@Suite struct ChangingSourceTests {
  private let directory: URL

  init() throws {
    directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("slab-changing-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

  /// 48 MB that do not compress, so that the import takes its time.
  private func writeSource(_ name: String) throws {
    let device = try #require(FileHandle(forReadingAtPath: "/dev/urandom"))
    let data = try #require(try device.read(upToCount: 48_000_000))
    try data.write(to: directory.appendingPathComponent(name))
  }

  /// Imports, and does something to the file as soon as the first commit is there.
  private func importing(_ name: String, meanwhile change: @escaping @Sendable () -> Void) throws
    -> Tool.Answer
  {
    let store = path("\(name).slab")
    let watcher = Thread {
      let end = Date(timeIntervalSinceNow: 60)
      while Date.now < end, !FileManager.default.fileExists(atPath: store + "/x/c/0/0") {
        Thread.sleep(forTimeInterval: 0.001)
      }
      change()
    }
    watcher.start()
    return try Tool.run([
      "import", path(name), store + "/x", "--raw", "--dtype", "int16", "--shape", "?,2000",
      "--buffer-shape", "500,2000", "--chunk-shape", "500,1000", "--threads", "1",
    ])
  }

  @Test func everyChangeIsTold() throws {
    defer { try? FileManager.default.removeItem(at: directory) }
    let changes: [(String, @Sendable (String) -> Void)] = [
      ("shorter", { truncate($0, 40_000_001) }),
      ("empty", { truncate($0, 0) }),
      ("longer", { truncate($0, 48_004_000) }),
      (
        "replaced",
        { path in
          _ = FileManager.default.createFile(atPath: path + ".other", contents: Data([1]))
          rename(path + ".other", path)
        }
      ),
    ]
    for (name, change) in changes {
      try writeSource(name)
      let file = path(name)
      let answer = try importing(name) { change(file) }
      #expect(answer.code == 2, "\(name): \(answer.output)\(answer.errors)")
      #expect(answer.errors.contains(file), "\(answer.errors)")
      #expect(answer.errors.contains("expected 48000000 bytes"), "\(answer.errors)")
      let verified = try Tool.run(["verify", path("\(name).slab")])
      #expect(verified.code != 2, "\(verified.errors)")
      try FileManager.default.removeItem(atPath: file)
    }
  }
}
