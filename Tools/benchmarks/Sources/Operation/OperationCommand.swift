import ArgumentParser
import Hyperslab
import SystemPackage

/// One operation on one array in one process, as `peers.py` does it with the peers: the figures are
/// printed as one line of JSON.
@main
struct OperationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "operation",
    abstract: "Times one operation on one array and prints one line of JSON.",
    discussion: """
      Every operation but write, import and commits expects the store that an earlier write left. \
      Results are compared with the array, byte for byte, outside the time taken; an operation \
      whose results differ prints "ok": false and exits with 1.
      """)

  @Argument(help: "A .npy file.")
  var array: String

  @Argument(help: "What to time.")
  var op: Operation

  @Option(help: ArgumentHelp("The chunk shape (default: HDMF's rule).", valueName: "shape"))
  var chunk: String?

  @Option(help: ArgumentHelp("The store's directory.", valueName: "directory"))
  var out: String

  @Option(help: "auto, none, shuffle or bitshuffle.")
  var filter = "auto"

  @Option(help: "LZ4's effort, 1 to 12.")
  var level = 1

  @Option(help: "Threads that encode (default: all cores).")
  var threads: Int?

  @Option(name: .customLong("repeat"), help: "How often (default: as the operation needs).")
  var repetitions: Int?

  func run() throws {
    let subject = try Subject(
      file: NpyFile(FilePath(array)), store: FilePath(out), chunkShape: chunkShape(),
      compression: Compression(filter: filterChoice(), level: level), threads: threads)
    let figures = try op.measure(subject, repetitions)
    let info = try subject.opened().info
    var report: JSONObject = [
      "peer": "hyperslab", "array": .string(FilePath(array).lastComponent?.string ?? array),
      "op": .string(op.rawValue), "chunk": .array(info.grid.chunkShape.map { .integer($0) }),
      "filter": info.filter.map { .string($0.rawValue) } ?? .null, "level": .integer(info.level),
    ]
    for (name, value) in try figures.json(subject) { report[name] = value }
    print(JSONValue.object(report).text())
    if !figures.isRight { throw ExitCode(1) }
  }

  private func chunkShape() throws -> Shape? {
    guard let chunk else { return nil }
    let axes = chunk.split(separator: ",").map { Int($0) }
    let lengths = axes.compactMap { $0 }
    guard lengths.count == axes.count else {
      throw ValidationError("--chunk takes numbers: 3160,790")
    }
    return Shape(lengths)
  }

  private func filterChoice() throws -> Filter? {
    if filter == "auto" { return nil }
    guard let named = Filter(rawValue: filter) else {
      throw ValidationError("--filter is auto, none, shuffle or bitshuffle.")
    }
    return named
  }
}
