import Dispatch
import Foundation
import Synchronization
import Testing

/// The tool run as a process.
enum Tool {
  struct Answer: Equatable {
    var output: String
    var errors: String
    var code: Int32

    var errorLine: String { errors.split(separator: "\n").first.map(String.init) ?? "" }
  }

  /// Runs `slab`; the arguments are words separated by single spaces.
  static func run(_ line: String, input: Data = Data()) throws -> Answer {
    try run(line.split(separator: " ").map(String.init), input: input)
  }

  static func run(_ arguments: [String], input: Data = Data()) throws -> Answer {
    try run(try executable(), arguments, input)
  }

  /// Runs a line of shell in which `"$0" "$@"` is the tool with its arguments.
  static func runShell(_ line: String, _ arguments: [String]) throws -> Answer {
    try run(
      URL(fileURLWithPath: "/bin/sh"), ["-c", line, try executable().path] + arguments, Data())
  }

  private static func run(
    _ program: URL, _ arguments: [String], _ input: Data
  ) throws -> Answer {
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("slab-tool-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    // Files rather than pipes: nothing then waits for anybody to read.
    let files = ["in", "out", "err"].map { directory.appendingPathComponent($0) }
    try input.write(to: files[0])
    for file in files[1...] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationReason == .exit, "slab \(arguments) was ended by a signal")
    return Answer(
      output: try String(contentsOf: files[1], encoding: .utf8),
      errors: try String(contentsOf: files[2], encoding: .utf8), code: process.terminationStatus)
  }

  /// Runs several command lines at the same time.
  static func runTogether(_ lines: [[String]]) throws -> [Answer] {
    let answers = Mutex<[Int: Result<Answer, any Error>]>([:])
    let done = DispatchGroup()
    for (number, line) in lines.enumerated() {
      done.enter()
      // Threads of their own: all of them wait at once, however few processors there are.
      Thread.detachNewThread {
        let answer = Result { try run(line) }
        answers.withLock { $0[number] = answer }
        done.leave()
      }
    }
    done.wait()
    return try lines.indices.compactMap { number in
      try answers.withLock { $0[number] }?.get()
    }
  }

  /// The tool lies beside the tests that were built with it.
  static func executable() throws -> URL {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0])
    var places = sequence(first: tests.deletingLastPathComponent()) { place in
      place.path == "/" ? nil : place.deletingLastPathComponent()
    }.prefix(5).map { $0.appendingPathComponent("slab") }
    let package = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    places.append(package.appendingPathComponent(".build/debug/slab"))
    return try #require(
      places.first {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: $0.path, isDirectory: &isDirectory)
          && !isDirectory.boolValue
      }, "the slab tool has not been built")
  }
}

/// A JSON document as Foundation sees it, independent of the tool's own code.
func json(_ text: String) throws -> [String: Any] {
  try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}
