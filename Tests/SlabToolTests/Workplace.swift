import Foundation
import Testing

/// A directory for a test, with small arrays in it, and a shell whose `slab` is the tool.
final class Workplace {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("slab-workplace-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    try write(Self.npy("<i2", [10, 4], Data((0..<40).flatMap { [UInt8($0), 0] })), to: "a.npy")
    try write(Self.npy("<i2", [3, 4], Data((0..<12).flatMap { [UInt8($0), 1] })), to: "b.npy")
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
  func write(_ data: Data, to name: String) throws {
    try data.write(to: url.appendingPathComponent(name))
  }
  func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path(name)))
  }
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
  func names(in directory: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(directory)).sorted()
  }
  func mode(_ name: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path(name))
    return try #require(attributes[.posixPermissions] as? Int)
  }

  /// Runs lines of shell in the directory.
  @discardableResult
  func shell(_ script: String) throws -> Tool.Answer {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", script]
    process.currentDirectoryURL = url
    var environment = ProcessInfo.processInfo.environment
    let tool = try Tool.executable().deletingLastPathComponent().path
    environment["PATH"] = tool + ":" + (environment["PATH"] ?? "/usr/bin:/bin")
    process.environment = environment
    let files = ["out", "err"].map { url.appendingPathComponent(".\($0)-\(UUID().uuidString)") }
    for file in files { try Data().write(to: file) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    // Threads of a pool block signals, and what they start would, too.
    var none = sigset_t()
    var old = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &old)
    defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
    try process.run()
    process.waitUntilExit()
    defer { for file in files { try? FileManager.default.removeItem(at: file) } }
    return Tool.Answer(
      output: try String(contentsOf: files[0], encoding: .utf8),
      errors: try String(contentsOf: files[1], encoding: .utf8), code: process.terminationStatus)
  }

  /// A `.npy` file with a header of our own making.
  static func npy(_ descriptor: String, _ shape: [Int], _ elements: Data) -> Data {
    let type = descriptor.hasPrefix("[") ? descriptor : "'\(descriptor)'"
    let axes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var text = "{'descr': \(type), 'fortran_order': False, 'shape': (\(axes)), }"
    text += String(repeating: " ", count: 64 - (11 + text.count) % 64) + "\n"
    let length = UInt16(text.count)
    return Data([0x93]) + Data("NUMPY".utf8)
      + Data([1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]) + Data(text.utf8) + elements
  }
}
