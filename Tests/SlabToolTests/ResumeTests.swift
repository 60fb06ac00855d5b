import Foundation
import Testing

/// Imports that are interrupted, shared and added to.
@Suite struct ResumeTests {
  private let directory: URL
  /// 60 rows of 8 int32.
  private let numbers = Data((0..<1920).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 >> 3) })
  private let plan = ["--buffer-shape", "8,4", "--chunk-shape", "4,2"]

  init() throws {
    directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("slab-resume-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { directory.appendingPathComponent(name).path }
  private func remove() { try? FileManager.default.removeItem(at: directory) }

  private func write(_ rows: Range<Int>, to name: String) throws -> String {
    try numbers[rows.lowerBound * 32..<rows.upperBound * 32]
      .write(to: directory.appendingPathComponent(name))
    return path(name)
  }

  private func plain(_ shape: String = "?,8") -> [String] {
    ["--raw", "--dtype", "int32", "--shape", shape]
  }

  private func expect(_ rows: Int, in address: String) throws {
    let answer = try Tool.run(["read", address, "--format", "raw", "-o", path("out.bin")])
    #expect(answer.code == 0, "\(answer.errors)")
    let found = try Data(contentsOf: directory.appendingPathComponent("out.bin"))
    #expect(found == numbers.prefix(rows * 32))
  }

  @Test func whatIsCompleteIsLeftAlone() throws {
    defer { remove() }
    let file = try write(0..<60, to: "in.bin")
    let line = ["import", file, path("a.slab/x")] + plain() + plan
    #expect(try Tool.run(line).code == 0)
    let index = try Data(contentsOf: directory.appendingPathComponent("a.slab/slab.json"))
    let again = try Tool.run(line + ["--resume"])
    #expect(again.code == 0)
    #expect(again.output == "\(path("a.slab/x")) is complete already: nothing to do\n")
    #expect(
      try Data(contentsOf: directory.appendingPathComponent("a.slab/slab.json")) == index)
    #expect(try Tool.run(line).code == 2)
  }

  @Test func aDifferenceIsShown() throws {
    defer { remove() }
    let file = try write(0..<60, to: "in.bin")
    let line = ["import", file, path("a.slab/x")]
    #expect(try Tool.run(line + plain() + plan + ["--unit", "mV", "--level", "3"]).code == 0)
    // What is left out is as it was.
    #expect(try Tool.run(line + plain() + ["--resume"]).code == 0)
    let settings = try Tool.run(
      line + plain("60,8") + ["--resume", "--unit", "V", "--chunk-shape", "4,8", "--level", "4"])
    #expect(settings.code == 2)
    #expect(
      settings.errorLine.contains(
        "(stored → asked): chunk_shape: (4, 2) → (4, 8); level: 3 → 4; unit: mV → V. "))
    let shorter = try write(0..<59, to: "short.bin")
    let shape = try Tool.run(["import", shorter, path("a.slab/x"), "--resume"] + plain())
    #expect(shape.code == 2)
    #expect(shape.errorLine.contains("shape: (60, 8) → (59, 8)"))
    var other = numbers
    other[7 * 32 + 4] ^= 1
    try other.write(to: directory.appendingPathComponent("other.bin"))
    let values = try Tool.run(
      ["import", path("other.bin"), path("a.slab/x"), "--resume"] + plain())
    #expect(values.code == 2)
    #expect(values.errorLine.contains("element [7, 1] was written from other data; expected "))
    try expect(60, in: path("a.slab/x"))
  }

  @Test func whatContradictsItselfIsWrongUsage() throws {
    defer { remove() }
    let line = ["import", try write(0..<60, to: "in.bin"), path("a.slab/x")] + plain()
    for flags in [
      ["--resume", "--overwrite"], ["--part", "0/2", "--overwrite"],
      ["--part", "0/2", "--durability", "fast"], ["--part", "2/2"], ["--part", "0/0"],
      ["--part", "1"], ["--part", "0/2/3"], ["--part", "+0/2"], ["--part", "a/b"],
      ["--part", "0/"], ["--part", " 0/2"], ["--part", "0/99999999999999999999"],
    ] {
      let answer = try Tool.run(line + flags)
      #expect(answer.code == 64, "\(flags)")
      #expect(answer.errors.hasPrefix("Error: "))
    }
    #expect(!FileManager.default.fileExists(atPath: path("a.slab")))
  }

  @Test func aGrowingFileIsFollowed() throws {
    defer { remove() }
    for rows in [1, 7, 8, 30, 30, 60] {
      let file = try write(0..<rows, to: "in.bin")
      let answer = try Tool.run(
        ["import", file, path("a.slab/x"), "--resume", "--quiet"] + plain())
      #expect(answer == Tool.Answer(output: "", errors: "", code: 0))
      try expect(rows, in: path("a.slab/x"))
    }
    #expect(try Tool.run(["verify", path("a.slab")]).code == 0)
  }

  @Test func appendingAddsToTheEnd() throws {
    defer { remove() }
    let address = path("a.slab/x")
    let first = try write(0..<10, to: "in.bin")
    #expect(
      try Tool.run(["import", first, address] + plain() + ["--chunk-shape", "4,3"]).code == 0)
    let answer = try Tool.run(
      ["append", try write(10..<13, to: "more.bin"), address] + plain("3,8"))
    #expect(answer.code == 0)
    #expect(answer.output.contains("3 appended along axis 0: now (13, 8) int32"))
    let rest = try write(13..<60, to: "rest.bin")
    #expect(try Tool.run(["append", rest, address, "--axis", "0"] + plain()).code == 0)
    try expect(60, in: address)
    #expect(try Tool.run(["verify", path("a.slab")]).code == 0)

    let beyond = try Tool.run(["append", rest, address, "--axis", "1"] + plain())
    #expect(beyond.code == 2)
    #expect(beyond.errorLine.hasPrefix("slab: x: appending an array of shape (47, 8)"))
    #expect(try Tool.run(["append", rest, path("a.slab/none")] + plain()).code == 2)
    #expect(try Tool.run(["append", rest, path("b.slab/x")] + plain()).code == 2)
    #expect(try Tool.run(["append", rest, address, "--axis", "-1"] + plain()).code == 2)
    #expect(try Tool.run(["append", rest, address]).code == 2)
    try expect(60, in: address)
  }

  @Test func theStoredDeltaIsKeptTo() throws {
    defer { remove() }
    let address = path("a.slab/x")
    let line = try ["import", write(0..<40, to: "in.bin"), address] + plain() + plan
    #expect(try Tool.run(line + ["--delta", "t", "--dims", "t,x"]).code == 0)
    // What is left out is as it was; another axis is a difference.
    #expect(try Tool.run(line + ["--resume"]).code == 0)
    #expect(try Tool.run(line + ["--resume", "--delta", "0"]).code == 0)
    let other = try Tool.run(line + ["--resume", "--delta", "1"])
    #expect(other.code == 2)
    #expect(other.errorLine.contains("(stored → asked): delta: axis 0 → axis 1."))
    let rest = try write(40..<60, to: "rest.bin")
    #expect(try Tool.run(["append", rest, address] + plain()).code == 0)
    try expect(60, in: address)

    let file = try write(0..<60, to: "all.bin")
    let shares = (0..<3).map {
      ["import", file, path("a.slab/y"), "--part", "\($0)/3", "--delta", "1"] + plain() + plan
    }
    for answer in try Tool.runTogether(shares) { #expect(answer.code == 0, "\(answer.errors)") }
    try expect(60, in: path("a.slab/y"))
    #expect(try json(Tool.run(["info", path("a.slab/y"), "--json"]).output)["delta"] as? Int == 1)
    #expect(try Tool.run(["verify", path("a.slab")]).code == 0)
  }

  @Test(arguments: [1, 4, 40])
  func partsOfSeveralProcessesAreOneDataset(count: Int) throws {
    defer { remove() }
    let file = try write(0..<60, to: "in.bin")
    // 16 buffers; nothing is there before all of them start.
    let shares = count == 40 ? [0, 13, 15, 16, 39] + Array(1..<13) + [14] : Array(0..<count)
    let lines = shares.map {
      ["import", file, path("a.slab/g/x"), "--part", "\($0)/\(count)"] + plain() + plan
    }
    for answer in try Tool.runTogether(lines) {
      #expect(answer.code == 0, "\(answer.errors)")
      #expect(answer.output.contains("part "))
    }
    try expect(60, in: path("a.slab/g/x"))
    #expect(try Tool.run(["verify", path("a.slab")]).code == 0)
    // Engines start tasks twice; the second finds its work done.
    for more in [[], ["--resume"]] {
      let again = try Tool.run(lines[0] + more)
      #expect(again.code == 0)
      #expect(again.output.contains("nothing to do; the data set is complete"), "\(again.output)")
    }
  }
}
