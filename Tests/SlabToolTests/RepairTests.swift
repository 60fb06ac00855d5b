import Foundation
import Testing

@Suite struct RepairTests {
  private let directory: URL
  private var store: String { directory.appendingPathComponent("x.slab").path }

  init() throws {
    directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("slab-repair-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let data = directory.appendingPathComponent("a.bin")
    try Data((0..<64).map { UInt8($0) }).write(to: data)
    let written = try Tool.run(
      "import \(data.path) \(store)/a --raw --dtype uint8 --shape 8,8 --chunk-shape 4,4")
    #expect(written.code == 0, "\(written)")
  }

  private func file(_ name: String) -> URL {
    directory.appendingPathComponent("x.slab").appendingPathComponent(name)
  }

  private func tidy() { try? FileManager.default.removeItem(at: directory) }

  @Test func aSoundStore() throws {
    defer { tidy() }
    let answer = try Tool.run("repair \(store)")
    #expect(answer.output == "\(store): nothing to repair\n")
    #expect(answer.code == 0)
  }

  @Test func aDamagedChunk() throws {
    defer { tidy() }
    try Data([1, 2, 3]).write(to: file("a/c/1/0"))
    #expect(try Tool.run("verify \(store)").code == 1)
    let answer = try Tool.run("repair \(store)")
    #expect(answer.code == 0, "\(answer)")
    let lines = answer.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.hasPrefix("torn  a/c/1/0  moved to __slab/lost/") == true, "\(lines)")
    #expect(lines.last?.contains("repaired: 1 action; now at commit") == true, "\(lines)")
    #expect(try Tool.run("verify \(store)").code == 0)
    let missing = try Tool.run("read \(store)/a 4:8,0:4")
    #expect(missing.code == 2 && missing.errors.contains("--fill-missing"), "\(missing)")
    #expect(try Tool.run("read \(store)/a 0:4,0:4").code == 0)
  }

  @Test func jsonTellsEachAction() throws {
    defer { tidy() }
    try FileManager.default.removeItem(at: file("a/c/0/1"))
    try Data([1]).write(to: file("notes.txt"))
    let answer = try Tool.run("repair \(store) --json")
    #expect(answer.code == 1)
    let report = try json(answer.output)
    #expect(report["changed"] as? Bool == true)
    #expect(report["ok"] as? Bool == false)
    let actions = try #require(report["actions"] as? [[String: Any]])
    #expect(actions.count == 1)
    #expect(actions[0]["kind"] as? String == "missing")
    #expect(actions[0]["chunk"] as? [Int] == [0, 1])
    let remaining = try #require(report["remaining"] as? [[String: Any]])
    #expect(remaining.map { $0["path"] as? String } == ["notes.txt"])
  }

  @Test func onlyWholeStores() throws {
    defer { tidy() }
    let part = try Tool.run("repair \(store)/a")
    #expect(part.code == 2 && part.errors.contains("whole store"), "\(part)")
    let none = try Tool.run("repair \(directory.path)")
    #expect(none.code == 2, "\(none)")
  }
}
