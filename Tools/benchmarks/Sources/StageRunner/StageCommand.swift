import ArgumentParser
import Stages

/// Runs one stage and nothing else, for programs that watch: callgrind, perf.
@main
struct StageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stage", abstract: "Runs one stage so many times; without a name, lists them.")

  @Argument(help: "Which stage.")
  var name: String?

  @Option(help: "How many times.")
  var iterations = 1

  func run() throws {
    guard let name else {
      for stage in Stage.all { print("\(stage.name) \(stage.byteCount)") }
      return
    }
    guard let stage = Stage.all.first(where: { $0.name == name }) else {
      throw ValidationError("There is no stage \(name).")
    }
    let body = try stage.body()
    for _ in 0..<iterations { body() }
  }
}
