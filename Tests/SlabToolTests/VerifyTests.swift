import Foundation
import Testing

/// What `slab verify` and `slab repair` say, and their exit codes.
@Suite struct VerifyTests {
  private let directory: URL
  private var store: String { directory.appendingPathComponent("x.slab").path }

  init() throws {
    directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("slab-verify-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    try Data((0..<64).map { UInt8($0) }).write(to: directory.appendingPathComponent("a.bin"))
    let written = try Tool.run(
      "import \(directory.path)/a.bin \(store)/a --raw --dtype uint8 --shape 8,8 --chunk-shape 4,4")
    #expect(written.code == 0, "\(written)")
  }

  private func file(_ name: String) -> URL {
    directory.appendingPathComponent("x.slab").appendingPathComponent(name)
  }

  private func put(_ text: String, _ name: String) throws {
    try FileManager.default.createDirectory(
      at: file(name).deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file(name))
  }

  private func tidy() { try? FileManager.default.removeItem(at: directory) }

  private func problems(_ answer: Tool.Answer) throws -> [[String: Any]] {
    try #require(try json(answer.output)["problems"] as? [[String: Any]])
  }

  @Test func aSoundStore() throws {
    defer { tidy() }
    let answer = try Tool.run("verify \(store) --json")
    #expect(answer.code == 0)
    let report = try json(answer.output)
    #expect(report["ok"] as? Bool == true)
    #expect((report["unchecked"] as? [Any])?.isEmpty == true)
    #expect((report["problems"] as? [Any])?.isEmpty == true)
    #expect(report["chunks_checked"] as? Int == 4)
  }

  @Test func filesThatSystemsDropNeverFailIt() throws {
    defer { tidy() }
    try put("", "a/.DS_Store")
    try put("", "._a")
    let answer = try Tool.run("verify \(store) --json")
    #expect(answer.code == 0)
    #expect(try json(answer.output)["ok"] as? Bool == true)
    #expect(
      try problems(answer).map { $0["kind"] as? String } == [
        "foreign-harmless", "foreign-harmless",
      ])
    #expect(try problems(answer).map { $0["path"] as? String } == ["._a", "a/.DS_Store"])
    let text = try Tool.run("verify \(store)")
    #expect(text.code == 0 && text.output.contains("foreign-harmless  a/.DS_Store"), "\(text)")
    #expect(text.output.contains("ok; 1 data set"))
    #expect(try Tool.run("repair \(store)").code == 0)
    #expect(FileManager.default.fileExists(atPath: file("a/.DS_Store").path))
  }

  @Test func everyKindSaysWhatToDo() throws {
    defer { tidy() }
    try put("x\n", "src/c/main.c")
    try FileManager.default.removeItem(at: file("a/c/0/1"))
    let answer = try Tool.run("verify \(store)")
    #expect(answer.code == 1)
    let lines = answer.output.split(separator: "\n").map(String.init)
    #expect(lines.contains { $0.hasPrefix("missing: ") && $0.contains("slab repair \(store)") })
    #expect(lines.contains { $0.hasPrefix("foreign: ") && $0.contains("slab adopt \(store)") })
    #expect(lines.last?.contains("2 problems") == true, "\(lines)")
    let repaired = try Tool.run("repair \(store)")
    #expect(repaired.code == 1)
    #expect(repaired.output.contains("left as it is"))
    #expect(FileManager.default.fileExists(atPath: file("src/c/main.c").path))
  }

  /// An index put back from a backup: writers name the way out, and it is one.
  @Test func anOlderIndex() throws {
    defer { tidy() }
    let old = try Data(contentsOf: file("slab.json"))
    #expect(try Tool.run(["attr", "set", "\(store)/a", "key", "7"]).code == 0)
    try old.write(to: file("slab.json"))
    let refused = try Tool.run(["attr", "set", "\(store)/a", "key", "8"])
    #expect(refused.code == 2 && refused.errorLine.contains("slab repair"), "\(refused)")
    let verified = try Tool.run("verify \(store) --json")
    #expect(verified.code == 1)
    #expect(try problems(verified).contains { $0["kind"] as? String == "index" })
    #expect(try Tool.run("repair \(store)").code == 0)
    #expect(try Tool.run(["attr", "get", "\(store)/a", "key"]).output == "7\n")
    #expect(try Tool.run("verify \(store)").code == 0)
  }

  /// Too few descriptors for some of the files, as a system with low limits has.
  @Test func whatCannotBeOpenedIsNoDamage() throws {
    defer { tidy() }
    var codes: Set<Int32> = []
    for limit in 3...12 {
      let answer = try Tool.run(["verify", store, "--json", "--threads", "1"], descriptors: limit)
      codes.insert(answer.code)
      // Where not even the index could be read it says so instead.
      guard answer.code != 0, let report = try? json(answer.output), report["error"] == nil else {
        continue
      }
      #expect(answer.code == 2, "\(limit): \(answer)")
      #expect(try problems(answer).isEmpty, "\(limit): \(answer)")
      #expect(try json(answer.output)["ok"] as? Bool == false)
    }
    #expect(codes.contains(0) && codes.contains(2) && !codes.contains(1), "\(codes)")
  }

  @Test(.disabled(if: geteuid() != 0, "only root can become somebody else"))
  func anotherUsersChunkIsNoDamage() throws {
    defer { tidy() }
    for name in ["", "x.slab"] {
      chmod(directory.appendingPathComponent(name).path, 0o755)
    }
    chmod(file("a/c/1/0").path, 0)
    let answer = try Tool.run(["verify", store, "--json"], user: 65534)
    if answer.code == 126 { return }
    #expect(answer.code == 2, "\(answer)")
    let report = try json(answer.output)
    #expect((report["problems"] as? [Any])?.isEmpty == true)
    let unchecked = try #require(report["unchecked"] as? [[String: Any]])
    #expect(unchecked.map { $0["path"] as? String } == ["a/c/1/0"])
    // Damage beside it decides.
    try FileManager.default.removeItem(at: file("a/c/0/1"))
    #expect(try Tool.run(["verify", store], user: 65534).code == 1)
  }
}

extension Tool {
  /// Runs it with a limit of open files, or as another user where this one may.
  fileprivate static func run(
    _ arguments: [String], descriptors: Int? = nil, user: Int? = nil
  ) throws -> Answer {
    var command = "exec "
    if let descriptors { command = "ulimit -n \(descriptors); exec " }
    if let user { command += "setpriv --reuid=\(user) --clear-groups " }
    return try runShell(command + "\"$0\" \"$@\"", arguments)
  }
}
