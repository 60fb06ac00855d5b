import Hyperslab
import SystemPackage

/// JSON as it is typed: the text itself, `@file` for what a file holds, `-` for standard input.
struct JSONArgument {
  let text: String
  /// What it is the value of.
  let key: String

  /// Far above what a store takes, which says so itself.
  private static let byteCountLimit = 16 << 20

  /// - Throws: `invalid_json`, saying what would do; `io`.
  func value() throws(HyperslabError) -> JSONValue {
    if text == "-" { return try parse(contents(of: .standardInput, "standard input")) }
    guard text.hasPrefix("@") else { return try parse(Array(text.utf8)) }
    let path = String(text.dropFirst())
    guard !path.isEmpty else {
      throw HyperslabError(
        .invalidValue, "the value of \"\(key)\" is @ without the name of a file",
        remedy: "Name it: @notes.json; text that is @ needs quotes of its own: '\"@\"'")
    }
    let file = try SourceFile.openRegular(FilePath(path))
    defer { try? file.close() }
    return try parse(contents(of: file, path))
  }

  private func parse(_ bytes: [UInt8]) throws(HyperslabError) -> JSONValue {
    do throws(HyperslabError) { return try JSONParser.parse(bytes) } catch {
      let found = String(decoding: bytes.prefix(60), as: UTF8.self) + (bytes.count > 60 ? "…" : "")
      throw HyperslabError(
        .invalidJSON, "the value of \"\(key)\" cannot be taken", found: found,
        remedy: remedy(Self.trimmed(found)), cause: error)
    }
  }

  private static func trimmed(_ text: String) -> String {
    let rest = text.drop(while: \.isWhitespace)
    return String(rest.prefix(rest.reversed().drop(while: \.isWhitespace).count))
  }

  private func remedy(_ found: String) -> String {
    let word = found.lowercased().drop { $0 == "-" || $0 == "+" }
    if ["nan", "inf", "infinity"].contains(String(word)) {
      return "JSON has no NaN and no infinity; write it as text: "
        + ShellWords.quoted("\"\(found)\"")
    }
    if word.first?.isNumber == true, word.allSatisfy({ "0123456789.e+-".contains($0) }) {
      return "Where the digits count, write it as text: " + ShellWords.quoted("\"\(found)\"")
    }
    if ["true", "false"].contains(String(word)) { return "JSON's words are true, false and null" }
    if text == "-" || text.hasPrefix("@") { return "The whole of it must be one JSON value" }
    let quoted = JSONValue.string(text).text()
    return
      "Text needs quotes of its own: \(ShellWords.quoted(quoted)); a file's contents are named @file"
  }

  private func contents(
    of file: FileDescriptor, _ place: String
  ) throws(HyperslabError) -> [UInt8] {
    var bytes: [UInt8] = []
    do {
      while true {
        let piece = try unsafe [UInt8](unsafeUninitializedCapacity: 1 << 16) { memory, count in
          count = try unsafe file.read(into: UnsafeMutableRawBufferPointer(memory))
        }
        if piece.isEmpty { return bytes }
        bytes += piece
        guard bytes.count <= Self.byteCountLimit else { break }
      }
    } catch {
      throw HyperslabError(.fileAccess, "cannot be read", at: place, cause: error)
    }
    throw HyperslabError(
      .limit, "a value of more than \(Self.byteCountLimit) bytes", at: place,
      remedy: "Keep large values in a data set")
  }
}
