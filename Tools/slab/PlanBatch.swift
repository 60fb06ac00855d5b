import Hyperslab
import SystemPackage

/// Plans for many cases, one JSON object a line in and out.
struct PlanBatch {
  let selectionCount: Int
  let threads: Int

  func run(_ path: String) throws {
    let output = OutputFile(stream: .standardOutput)
    var lines =
      path == "-"
      ? LineReader(.standardInput, place: "standard input")
      : LineReader(try SourceFile.openRegular(FilePath(path)), place: path)
    while let line = try lines.next() {
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
      try output.write(answer(line).text() + "\n")
    }
    try output.finish()
  }

  private func answer(_ line: [UInt8]) -> JSONValue {
    var identity = JSONValue.null
    var answer: JSONObject = [:]
    do throws(HyperslabError) {
      guard let record = try JSONParser.parse(line, roundsLargeIntegers: true).object else {
        throw HyperslabError(.invalidJSON, "not a JSON object")
      }
      identity = record["id"] ?? .null
      answer = try plan(record).object ?? [:]
    } catch { answer = error.json.object ?? [:] }
    var result: JSONObject = ["id": identity]
    for (key, value) in answer { result[key] = value }
    return .object(result)
  }

  private func plan(_ record: JSONObject) throws(HyperslabError) -> JSONValue {
    guard let shape = try shape(record, "shape"), let name = record["dtype"]?.string else {
      throw HyperslabError(.invalidValue, "a case needs shape and dtype")
    }
    let bufferGB = try number(record, "buffer_gb")
    let plan = try BufferPlan(
      shape: shape, dataType: NumPyType(name).dataType, bufferGB: bufferGB,
      bufferShape: self.shape(record, "buffer_shape"), chunkMB: number(record, "chunk_mb"),
      chunkShape: self.shape(record, "chunk_shape"))
    return plan.json(selectionCount: selectionCount, threads: threads, bufferGB: bufferGB ?? 1)
  }

  private func shape(_ record: JSONObject, _ key: String) throws(HyperslabError) -> Shape? {
    switch record[key] {
    case nil, .null: return nil
    case .array(let elements):
      var axes: [Int] = []
      for element in elements {
        guard let length = element.integer else {
          throw HyperslabError(
            element.number == nil ? .invalidShape : .overflow, "axis \(axes.count) of \(key)",
            expected: "an integer of 64 bits", found: element.text())
        }
        axes.append(length)
      }
      return Shape(axes)
    case let other?:
      throw HyperslabError(.invalidShape, key, expected: "a list", found: other.text())
    }
  }

  private func number(_ record: JSONObject, _ key: String) throws(HyperslabError) -> Double? {
    guard let value = record[key], value != .null else { return nil }
    if let number = value.number ?? value.string.flatMap(Double.init) { return number }
    throw HyperslabError(.invalidValue, key, expected: "a number", found: value.text())
  }
}

/// The lines of a stream, without their ends.
struct LineReader {
  private let input: FileDescriptor
  private let place: String
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false

  /// Far above what a case takes.
  private static let byteCountLimit = 16 << 20

  init(_ input: FileDescriptor, place: String) {
    self.input = input
    self.place = place
  }

  mutating func next() throws(HyperslabError) -> [UInt8]? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: 0x0A) {
        defer { start = end + 1 }
        return Array(buffer[start..<end])
      }
      if isAtEnd {
        defer { start = buffer.count }
        return start == buffer.count ? nil : Array(buffer[start...])
      }
      buffer.removeFirst(start)
      start = 0
      searched = buffer.count
      guard searched <= Self.byteCountLimit else {
        throw HyperslabError(
          .limit, "a line of more than \(Self.byteCountLimit) bytes", at: place,
          remedy: "Give one case a line")
      }
      try fill()
    }
  }

  private mutating func fill() throws(HyperslabError) {
    do {
      let piece = try unsafe [UInt8](unsafeUninitializedCapacity: 1 << 18) { memory, count in
        count = try unsafe input.read(into: UnsafeMutableRawBufferPointer(memory))
      }
      isAtEnd = piece.isEmpty
      buffer += piece
    } catch {
      throw HyperslabError(.fileAccess, "cannot be read", at: place, cause: error)
    }
  }
}
