import Foundation
import Testing

/// What `slab adopt` says of attributes.
@Suite struct AdoptTests {
  @Test(arguments: [false, true])
  func namesWhatItDoesToAttributes(isJSON: Bool) throws {
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("slab-adopt-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try Data((0..<64).map { UInt8($0) }).write(to: directory.appendingPathComponent("a.bin"))
    let store = directory.appendingPathComponent("x.slab").path
    let written = try Tool.run(
      "import \(directory.path)/a.bin \(store)/a --raw --dtype uint8 --shape 8,8 --chunk-shape 4,4")
    #expect(written.code == 0, "\(written)")
    let document = URL(fileURLWithPath: store).appendingPathComponent("a/zarr.json")
    let before = try String(contentsOf: document, encoding: .utf8)
    #expect(try Tool.run("attr set \(store)/a patient \"Smith\"").code == 0)
    let theirs = before.replacing("\"attributes\": {}", with: "\"attributes\": {\"k\": 1}")
    try #require(theirs != before)
    try Data(theirs.utf8).write(to: document)
    let answer = try Tool.run("adopt \(store)" + (isJSON ? " --json" : ""))
    #expect(answer.code == 0, "\(answer)")
    guard isJSON else {
      #expect(answer.output.contains(#"sets "k", removes "patient""#), "\(answer)")
      return
    }
    let taken = try #require(try json(answer.output)["taken"] as? [[String: Any]])
    let attributes = try #require(taken.first?["attributes"] as? [String: Any])
    #expect(attributes["set"] as? [String] == ["k"])
    #expect(attributes["changed"] as? [String] == [])
    #expect(attributes["removed"] as? [String] == ["patient"])
    let kept = try #require(attributes["kept"] as? String)
    let text = try String(contentsOfFile: "\(store)/\(kept)", encoding: .utf8)
    #expect(try json(text)["patient"] as? String == "Smith")
  }

  /// A chunk whose file holds one block of the fill value for many, under a name that the store did not give.
  @Test func takesChunksThatRepeatABlock() throws {
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("slab-adopt-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    var bytes = Data(count: 1 << 20)
    bytes[400] = 5
    try bytes.write(to: directory.appendingPathComponent("a.bin"))
    let store = directory.appendingPathComponent("x.slab").path
    let written = try Tool.run(
      "import \(directory.path)/a.bin \(store)/a --raw --dtype float32 --shape 8,32768 "
        + "--chunk-shape 8,32768")
    #expect(written.code == 0, "\(written)")
    let index = try String(contentsOfFile: "\(store)/slab.json", encoding: .utf8)
    try #require(index.contains("\"repeats\": true"))
    try FileManager.default.moveItem(atPath: "\(store)/a", toPath: "\(store)/b")
    // What it was moved from is left.
    let answer = try Tool.run("adopt \(store)")
    #expect(answer.code == 1 && answer.output.contains("1 taken, 1 left"), "\(answer)")
    #expect(
      try Tool.run("export \(store)/b \(directory.path)/b.npy").code == 0)
    let out = try Data(contentsOf: directory.appendingPathComponent("b.npy"))
    #expect(out.suffix(1 << 20) == bytes)
  }
}
