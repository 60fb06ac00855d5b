import Foundation
import Testing

/// The tool on real stores, from file to store and back.
@Suite struct StoreTests {
  private let directory: URL

  init() throws {
    directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("slab-stores-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

  private func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: directory.appendingPathComponent(name))
  }

  private func remove() { try? FileManager.default.removeItem(at: directory) }

  /// A `.npy` file exactly as NumPy writes it.
  private func npy(_ type: String, _ shape: [Int], fortran: Bool = false, _ elements: Data) -> Data
  {
    let axes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var text = "{'descr': '\(type)', 'fortran_order': \(fortran ? "True" : "False"), "
    text += "'shape': (\(axes)), }"
    if let growing = fortran ? shape.last : shape.first {
      text += String(repeating: " ", count: 21 - String(growing).count)
    }
    text += String(repeating: " ", count: 64 - (11 + text.count) % 64) + "\n"
    let length = UInt16(text.count)
    return Data([0x93]) + Data("NUMPY".utf8)
      + Data([1, 0, UInt8(length & 0xFF), UInt8(length >> 8)])
      + Data(text.utf8) + elements
  }

  /// Bytes that neither compress away nor repeat at a chunk's length.
  private func noise(_ count: Int) -> Data {
    Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 >> 3 &+ $0) })
  }

  @Test(arguments: [
    ("|b1", 1), ("|i1", 1), ("<i2", 2), ("<i4", 4), ("<i8", 8), ("|u1", 1), ("<u2", 2), ("<u4", 4),
    ("<u8", 8), ("<f2", 2), ("<f4", 4), ("<f8", 8), ("<c8", 8), ("<c16", 16),
  ])
  func everyTypeComesBackBitForBit(_ type: String, _ size: Int) throws {
    defer { remove() }
    for shape in [[], [0], [37], [3, 0, 2], [11, 13], [5, 4, 3], [2, 3, 2, 3]] {
      let count = shape.reduce(1, *)
      var elements = noise(count * size)
      if type == "|b1" { elements = Data(elements.map { $0 & 1 }) }
      try npy(type, shape, elements).write(to: directory.appendingPathComponent("in.npy"))
      let chunks = shape.map { String(max(1, $0 / 2)) }.joined(separator: ",")
      let name = "a.slab/r\(shape.map(String.init).joined(separator: "x"))/data"
      let written = try Tool.run([
        "import", path("in.npy"), path(name), "--chunk-shape", chunks, "--quiet",
      ])
      #expect(written == Tool.Answer(output: "", errors: "", code: 0))
      #expect(try Tool.run(["export", path(name), path("out.npy")]).code == 0)
      #expect(try bytes("out.npy") == bytes("in.npy"), "\(type) \(shape)")
    }
    #expect(try Tool.run(["verify", path("a.slab")]).code == 0)
  }

  @Test func otherOrdersComeOutAsNumPysOwn() throws {
    defer { remove() }
    let plain = npy("<i2", [2, 3], Data([1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1]))
    let files = [
      npy(">i2", [2, 3], Data([0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 1, 6])),
      npy("<i2", [2, 3], fortran: true, Data([1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 1])),
      npy(">i2", [2, 3], fortran: true, Data([0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 1, 6])),
    ]
    for (number, file) in files.enumerated() {
      try file.write(to: directory.appendingPathComponent("in.npy"))
      let name = path("b.slab/\(number)")
      #expect(
        try Tool.run(["import", path("in.npy"), name, "--chunk-shape", "2,2", "--quiet"]).code == 0)
      #expect(try Tool.run(["export", name, path("out.npy")]).code == 0)
      #expect(try bytes("out.npy") == plain)
    }
  }

  @Test func plainNumbersComeFromFilesAndStreams() throws {
    defer { remove() }
    let numbers = noise(7 * 6 * 4)
    try (Data([9, 9, 9]) + numbers).write(to: directory.appendingPathComponent("in.bin"))
    let flags = ["--raw", "--dtype", "int32", "--shape", "?,6", "--skip-bytes", "3", "--quiet"]
    #expect(try Tool.run(["import", path("in.bin"), path("c.slab/file")] + flags).code == 0)
    #expect(
      try Tool.run(
        ["import", "-", path("c.slab/stream")] + flags, input: Data([9, 9, 9]) + numbers
      )
      .code == 0)
    for name in ["file", "stream"] {
      let address = path("c.slab/\(name)")
      #expect(try Tool.run(["read", address, "--format", "raw", "-o", path("out.bin")]).code == 0)
      #expect(try bytes("out.bin") == numbers)
    }
    let short = try Tool.run(
      ["import", "-", path("c.slab/short")] + flags, input: Data([9, 9, 9, 1]))
    #expect(short.code == 2)
    #expect(short.errorLine.hasPrefix("slab: standard input: "))
  }

  @Test func whatIsKnownIsShown() throws {
    defer { remove() }
    let counting = Data((0..<24).flatMap { [UInt8($0), 0] })
    try npy("<i2", [4, 6], counting).write(to: directory.appendingPathComponent("in.npy"))
    let address = path("d.slab/group/data")
    let written = try Tool.run([
      "import", path("in.npy"), address, "--chunk-shape", "2,4", "--filter", "shuffle", "--level",
      "3",
      "--fill-value", "-1", "--attribute", "rate=30000", "--attribute", "who={\"a\": [1, null]}",
      "--dims", "t,", "--unit", "mV",
    ])
    #expect(written.code == 0)
    #expect(written.output.contains("(4, 6) int16"))

    let info = try json(Tool.run(["info", address, "--json"]).output)
    #expect(info["path"] as? String == "group/data")
    #expect(info["shape"] as? [Int] == [4, 6])
    #expect(info["max_shape"] as? [Int] == [4, 6])
    #expect(info["dtype"] as? String == "int16")
    #expect(info["chunk_shape"] as? [Int] == [2, 4])
    #expect(info["fill_value"] as? Int == -1)
    #expect(info["filter"] as? String == "shuffle")
    #expect(info["codec"] as? String == "lz4")
    #expect(info["level"] as? Int == 3)
    let dims = try #require(info["dims"] as? [Any])
    #expect(dims[0] as? String == "t")
    #expect(dims[1] is NSNull)
    #expect(info["unit"] as? String == "mV")
    #expect((info["attributes"] as? [String: Any])?["rate"] as? Int == 30000)
    #expect(
      info["chunks"] as? [String: Int] == ["stored": 4, "fill": 0, "missing": 0, "total": 4])
    #expect(info["logical_bytes"] as? Int == 48)
    let statistics = try #require(info["statistics"] as? [String: Int])
    #expect(statistics == ["min": 0, "max": 23, "nan_count": 0])

    #expect(try Tool.run(["read", address, "-2:,::3"]).output == "[[12 15]\n [18 21]]\n")
    #expect(
      try Tool.run(["read", address, "1", "--format", "csv"]).output == "6\n7\n8\n9\n10\n11\n")
    #expect(try Tool.run(["read", address, "0:2,5", "--format", "json"]).output == "[5, 11]\n")
    #expect(try Tool.run(["info", address, "--chunks"]).output.contains("██\n██\n"))
    let tree = try Tool.run(["ls", path("d.slab")]).output.split(separator: "\n")
    #expect(tree.count == 3)
    #expect(tree[1].hasPrefix("└─ group"))
    #expect(tree[2].hasPrefix("   └─ data  (4, 6)  int16  48 B"))
    let list = try json(Tool.run(["ls", path("d.slab"), "--json"]).output)
    #expect((list["nodes"] as? [Any])?.count == 3)
  }

  @Test func deltaIsShownAndRefusedWhereItCannotBe() throws {
    defer { remove() }
    try npy("<i2", [8, 3], noise(48)).write(to: directory.appendingPathComponent("in.npy"))
    try npy("<f4", [8, 3], noise(96)).write(to: directory.appendingPathComponent("real.npy"))
    let address = path("d.slab/x")
    #expect(try Tool.run(["import", path("in.npy"), address, "--delta", "0"]).code == 0)
    #expect(try Tool.run(["import", path("in.npy"), path("d.slab/plain")]).code == 0)
    let info = try json(Tool.run(["info", address, "--json"]).output)
    #expect(info["delta"] as? Int == 0)
    #expect(info["filter"] as? String == "bitshuffle")
    let plain = try json(Tool.run(["info", path("d.slab/plain"), "--json"]).output)
    #expect(plain["delta"] is NSNull)
    let text = try Tool.run(["info", address]).output
    #expect(text.contains("delta (axis 0) + bitshuffle + lz4, level 1"))
    #expect(
      try Tool.run(["ls", "-l", path("d.slab")]).output.contains("delta (axis 0) + bitshuffle"))
    #expect(try Tool.run(["export", address, path("out.npy")]).code == 0)
    #expect(try bytes("out.npy") == bytes("in.npy"))
    for (input, flags, why) in [
      ("real.npy", ["--delta", "0"], "delta on float32; expected an integer type"),
      ("in.npy", ["--delta", "2"], "delta along axis 2; expected an axis from 0 to 1"),
      ("in.npy", ["--delta", "0", "--filter", "shuffle"], "delta with the filter shuffle"),
      ("in.npy", ["--delta", "time"], "--delta time; expected the number of an axis, or a name"),
    ] {
      let answer = try Tool.run(["import", path(input), path("d.slab/bad")] + flags)
      #expect(answer.code == 2)
      #expect(answer.errorLine.contains(why), "\(answer.errors)")
    }
  }

  @Test func attributesChange() throws {
    defer { remove() }
    try npy("|u1", [2], Data([1, 2])).write(to: directory.appendingPathComponent("in.npy"))
    let address = path("e.slab/x")
    #expect(try Tool.run(["import", path("in.npy"), address, "--quiet"]).code == 0)
    #expect(try Tool.run(["attr", "set", address, "who", "\"me\""]).code == 0)
    #expect(try Tool.run(["attr", "get", address, "who"]).output == "\"me\"\n")
    #expect(try Tool.run(["attr", "rm", address, "who"]).code == 0)
    #expect(try Tool.run(["attr", "get", address, "who"]).code == 2)
    #expect(try Tool.run(["attr", "set", address, "who", "me"]).code == 2)
  }

  @Test func nothingIsReplacedUnasked() throws {
    defer { remove() }
    let address = path("f.slab/x")
    for (number, code) in [(1, Int32(0)), (2, 2)] {
      try npy("|u1", [2], Data([UInt8(number), 0]))
        .write(to: directory.appendingPathComponent("in.npy"))
      #expect(try Tool.run(["import", path("in.npy"), address, "--quiet"]).code == code)
      #expect(try Tool.run(["read", address]).output == "[1 0]\n")
    }
    #expect(try Tool.run(["import", path("in.npy"), address, "--quiet", "--overwrite"]).code == 0)
    #expect(try Tool.run(["read", address]).output == "[2 0]\n")
  }

  @Test func damageIsNamedAndExitsWith1() throws {
    defer { remove() }
    try npy("|u1", [4, 4], noise(16)).write(to: directory.appendingPathComponent("in.npy"))
    let address = path("g.slab/x")
    #expect(
      try Tool.run(["import", path("in.npy"), address, "--chunk-shape", "2,2", "--quiet"]).code == 0
    )
    try FileManager.default.removeItem(atPath: path("g.slab/x/c/1/0"))
    let answer = try Tool.run(["verify", path("g.slab"), "--json"])
    #expect(answer.code == 1)
    let report = try json(answer.output)
    #expect(report["ok"] as? Bool == false)
    let problems = try #require(report["problems"] as? [[String: Any]])
    #expect(problems.count == 1)
    #expect(problems[0]["kind"] as? String == "missing")
    #expect(problems[0]["chunk"] as? [Int] == [1, 0])
    #expect(try Tool.run(["read", address]).code == 2)
    #expect(try Tool.run(["read", address, "0:2"]).code == 0)
  }

  @Test func whatCannotBeExitsWith2AndOneLine() throws {
    defer { remove() }
    try Data("nothing".utf8).write(to: directory.appendingPathComponent("in.npy"))
    let lines: [[String]] = [
      ["ls", path("none.slab")], ["info", path("none.slab")], ["read", path("none.slab/x")],
      ["export", path("none.slab/x"), path("out.npy")], ["verify", path("none.slab")],
      ["import", path("in.npy"), path("h.slab/x")], ["import", path("absent"), path("h.slab/x")],
      ["import", path("in.npy"), path("h.slab")],
    ]
    for line in lines {
      let answer = try Tool.run(line)
      #expect(answer.code == 2, "\(line)")
      #expect(answer.output.isEmpty)
      #expect(answer.errorLine.hasPrefix("slab: "))
      #expect(answer.errors.split(separator: "\n").count == 1)
    }
    #expect(
      !FileManager.default.fileExists(atPath: path("h.slab")), "a refused import leaves nothing")
  }
}
