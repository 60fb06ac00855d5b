public import ArgumentParser
import Hyperslab

/// A shape as it is typed: `20000,5000`; empty or `()` for rank 0; `?` for an unknown axis.
struct ShapeArgument: ExpressibleByArgument {
  private let words: [Substring]
  let text: String

  init?(argument: String) {
    var body = argument.filter { !$0.isWhitespace }[...]
    if body.hasPrefix("("), body.hasSuffix(")") { body = body.dropFirst().dropLast() }
    if body.hasSuffix(",") { body = body.dropLast() }
    words = body.isEmpty ? [] : body.split(separator: ",", omittingEmptySubsequences: false)
    text = argument
    let areNumbers = words.allSatisfy { word in
      let digits = word.hasPrefix("-") ? word.dropFirst() : word
      return word == "?" || !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
    guard areNumbers else { return nil }
  }

  /// Whether an axis is of unknown length.
  var isOpen: Bool { words.contains("?") }

  /// The lengths; nil for `?`.
  func axes() throws(HyperslabError) -> [Int?] {
    var axes: [Int?] = []
    for word in words {
      if word == "?" {
        axes.append(nil)
      } else if let length = Int(word) {
        axes.append(length)
      } else {
        throw HyperslabError(
          .overflow, "axis \(axes.count) of the shape \(text)", expected: "at most 64 bits")
      }
    }
    return axes
  }

  /// The shape, all axes known.
  func shape() throws(HyperslabError) -> Shape {
    let axes = try axes()
    let known = axes.compactMap { $0 }
    guard known.count == axes.count else {
      throw HyperslabError(
        .invalidShape, "the shape \(text) has an unknown axis",
        remedy: "? goes with --shape of an import without a header, and with --max-shape")
    }
    return Shape(known)
  }
}

/// An element type: a name, or NumPy's spelling with its byte order.
struct TypeArgument: ExpressibleByArgument {
  let type: NumPyType

  init?(argument: String) {
    guard let type = try? NumPyType(argument) else { return nil }
    self.type = type
  }

  static var allValueStrings: [String] { DataType.allCases.map(\.rawValue) }
}

/// How many selections to print.
enum SelectionCount: ExpressibleByArgument {
  case first(Int)
  case all

  init?(argument: String) {
    if argument == "all" {
      self = .all
    } else if let count = Int(argument), count >= 0 {
      self = .first(count)
    } else {
      return nil
    }
  }

  var defaultValueDescription: String { "0" }

  var limit: Int {
    switch self {
    case .first(let count): count
    case .all: .max
    }
  }
}

extension WritePart {
  /// A share as it is typed: `0/4`.
  init(argument: String) throws {
    let words = argument.split(separator: "/", omittingEmptySubsequences: false)
    let areNumbers = words.allSatisfy { word in
      !word.isEmpty && word.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
    guard words.count == 2, areNumbers, let index = Int(words[0]), let count = Int(words[1]) else {
      throw ValidationError("K/N are two plain numbers, such as 0/4 for the first of four.")
    }
    guard let part = try? WritePart(index, of: count) else {
      throw ValidationError("Parts are counted from 0: K must be below N.")
    }
    self = part
  }
}

/// When an import commits.
struct CommitArgument: ExpressibleByArgument {
  let policy: CommitPolicy

  init?(argument: String) {
    switch argument {
    case "buffer": policy = .everyBuffer
    case "end": policy = .atEnd
    default:
      guard let seconds = Double(argument), seconds >= 0, seconds.isFinite else { return nil }
      policy = .interval(seconds: seconds)
    }
  }

  init(_ policy: CommitPolicy) { self.policy = policy }

  var defaultValueDescription: String { "buffer" }
}

/// A filter, or the store's own choice.
struct FilterArgument: ExpressibleByArgument {
  let filter: Filter?

  init?(argument: String) {
    filter = Filter(rawValue: argument)
    guard filter != nil || argument == "auto" else { return nil }
  }

  init() { filter = nil }

  static var allValueStrings: [String] { ["auto"] + Filter.allCases.map(\.rawValue) }
  var defaultValueDescription: String { "auto" }
}

/// `key=json`, `key=@file`.
struct AttributeArgument: ExpressibleByArgument {
  let key: String
  let json: String

  init?(argument: String) {
    guard let separator = argument.firstIndex(of: "="), separator != argument.startIndex else {
      return nil
    }
    key = String(argument[..<separator])
    json = String(argument[argument.index(after: separator)...])
  }

  func value() throws(HyperslabError) -> JSONValue {
    try JSONArgument(text: json, key: key).value()
  }
}

extension Durability: ExpressibleByArgument {}
