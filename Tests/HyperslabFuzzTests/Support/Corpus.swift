import Foundation

/// The inputs kept in the repository: a directory for each target, a hexadecimal text a file.
enum Corpus {
  /// All inputs of a target, by name.
  static func inputs(_ target: String) throws -> [(name: String, bytes: [UInt8])] {
    let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Corpus/\(target)")
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
    return try names.sorted().map { name in
      let text = try String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)
      return (name, bytes(hexadecimal: text))
    }
  }

  private static func bytes(hexadecimal text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }

  /// Lines of 48 bytes.
  static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    var text = ""
    for (index, byte) in bytes.enumerated() {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
      if index % 48 == 47 { text += "\n" }
    }
    return text + "\n"
  }
}

/// Collects one short input of every outcome that a target has.
struct CorpusWriter {
  let directory: String
  private var kept: [String: [UInt8]] = [:]
  private var target = ""

  init(directory: String) { self.directory = directory }

  mutating func note(_ input: [UInt8], outcome: String, target: String) {
    self.target = target
    // Numbers and quoted names would make every message another outcome.
    var plain = ""
    var isQuoted = false
    for scalar in outcome.unicodeScalars {
      if scalar == "\"" { isQuoted.toggle() }
      if !isQuoted, scalar.properties.isAlphabetic, scalar.isASCII || scalar == " " {
        plain.unicodeScalars.append(scalar)
      } else if plain.last != "-", !isQuoted {
        plain += "-"
      }
    }
    let name = String(plain.prefix(72))
    guard let old = kept[name] else { return kept[name] = input }
    if input.count < old.count { kept[name] = input }
  }

  func write() throws {
    let folder = URL(fileURLWithPath: directory).appendingPathComponent(target)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, bytes) in kept where bytes.count <= 4096 {
      let file = folder.appendingPathComponent("\(name.isEmpty ? "value" : name).hex")
      try Corpus.hexadecimal(bytes).write(to: file, atomically: false, encoding: .utf8)
    }
  }
}
