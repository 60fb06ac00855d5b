import Foundation
import Testing

/// Imports ended by SIGKILL at random moments: the store opens, verifies, and the import goes on.
///
/// `HYPERSLAB_KILLS` says how many (4), `HYPERSLAB_SEED` when; every fifth kills four processes that
/// write parts of one data set.
@Suite struct KillTests {
  private let directory: URL
  private let environment = ProcessInfo.processInfo.environment

  init() throws {
    directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("slab-kills-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

  private struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 33
    }
  }

  @Test func aKilledImportLosesNothing() throws {
    defer { try? FileManager.default.removeItem(at: directory) }
    let count = environment["HYPERSLAB_KILLS"].flatMap(Int.init) ?? 4
    let seed =
      environment["HYPERSLAB_SEED"].flatMap(UInt64.init) ?? UInt64(Date.now.timeIntervalSince1970)
    var random = Random(state: seed)
    let numbers = Data((0..<200 * 64 * 4).map { _ in UInt8.random(in: 0...9, using: &random) })
    try numbers.write(to: directory.appendingPathComponent("in.bin"))
    let line =
      [
        "import", path("in.bin"), path("k.slab/x"), "--raw", "--dtype", "int32", "--shape",
        "200,64",
      ]
      + ["--buffer-shape", "20,32", "--chunk-shape", "10,16"]

    let start = ContinuousClock.now
    #expect(try Tool.run(line).code == 0)
    let whole = (ContinuousClock.now - start) / .seconds(1)
    var (unfinished, opened, lost) = (0, 0, 0)
    for number in 0..<count {
      try? FileManager.default.removeItem(atPath: path("k.slab"))
      let parts = number % 5 == 4 || count < 5 && number == count - 1 ? 4 : 1
      let lines = (0..<parts).map { parts == 1 ? line : line + ["--part", "\($0)/\(parts)"] }
      let processes = try lines.map { try Tool.start($0) }
      Thread.sleep(forTimeInterval: Double.random(in: 0..<whole, using: &random))
      for process in processes where process.isRunning {
        kill(process.processIdentifier, SIGKILL)
      }
      for process in processes {
        process.waitUntilExit()
        if process.terminationReason == .uncaughtSignal { unfinished += 1 }
      }
      if FileManager.default.fileExists(atPath: path("k.slab/slab.json")) {
        opened += 1
        // What a killed writer left is found as orphans; the next one sweeps it.
        let report = try json(Tool.run(["verify", path("k.slab"), "--json"]).output)
        let problems = report["problems"] as? [[String: Any]] ?? []
        let kinds = Set(problems.compactMap { $0["kind"] as? String })
        #expect(kinds.isSubset(of: ["orphan"]), "kill \(number): \(problems)")
      }
      for answer in try Tool.runTogether(lines.map { $0 + ["--resume"] }) {
        #expect(answer.code == 0, "kill \(number): \(answer.errors)")
      }
      #expect(try Tool.run(["verify", path("k.slab")]).code == 0, "kill \(number)")
      let read = try Tool.run(
        ["read", path("k.slab/x"), "--format", "raw", "-o", path("out.bin")])
      #expect(read.code == 0, "kill \(number): \(read.errors)")
      let isWhole =
        try Data(contentsOf: directory.appendingPathComponent("out.bin")) == numbers
      #expect(isWhole, "kill \(number)")
      if !isWhole { lost += 1 }
    }
    print(
      "kills: \(count) with seed \(seed), \(unfinished) processes ended by them, "
        + "\(opened) stores opened after, \(lost) with losses")
  }
}
