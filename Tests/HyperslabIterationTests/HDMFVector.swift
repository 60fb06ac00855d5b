import Foundation
import HyperslabCore
import HyperslabIteration
import Testing

/// One line of the HDMF vectors.
struct HDMFVector: Sendable, CustomTestStringConvertible {
  let id: String
  private let fields: JSONObject

  static let shared = load("shared")
  static let special = load("special")

  private static func load(_ name: String) -> [HDMFVector] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Spec/vectors/hdmf/\(name).jsonl")
    guard let data = try? Data(contentsOf: file) else { return [] }
    return data.split(separator: 0x0A).compactMap { line in
      guard let fields = (try? JSONParser.parse(line))?.object, let id = fields["id"]?.string
      else { return nil }
      return HDMFVector(id: id, fields: fields)
    }
  }

  var testDescription: String { id }
  var array: Shape { shape("shape") ?? [] }
  var itemByteCount: Int { fields["itemsize"]?.integer ?? 0 }
  var bufferGB: Double? { number("buffer_gb") }
  var chunkMB: Double? { number("chunk_mb") }
  var bufferShape: Shape? { shape("buffer_shape") }
  var chunkShape: Shape? { shape("chunk_shape") }

  var chunk: Shape? { shape("chunk") }
  var buffer: Shape? { shape("buffer") }
  var bufferCount: Int? { (fields["selection_count"] ?? fields["num_buffers"])?.integer }
  var first: [Selection]? { selections("first_selections") }
  var last: [Selection]? { selections("last_selections") }
  var digest: String? { fields["selections_sha256"]?.string }
  var error: String? { fields["error"]?.string }
  var message: String? { fields["message"]?.string }
  var note: String { fields["note"]?.string ?? "" }

  /// Any type of the item's size; nil where there is none.
  var dataType: DataType? {
    let name = fields["dtype"]?.string ?? ""
    return DataType(rawValue: name) ?? DataType.allCases.first { $0.byteCount == itemByteCount }
  }

  func plan(_ type: DataType) throws(HyperslabError) -> BufferPlan {
    try BufferPlan(
      shape: array, dataType: type, bufferGB: bufferGB, bufferShape: bufferShape,
      chunkMB: chunkMB, chunkShape: chunkShape)
  }

  private func number(_ name: String) -> Double? {
    switch fields[name]?.string {
    case "nan": .nan
    case "inf": .infinity
    case "-inf": -.infinity
    default: fields[name]?.number
    }
  }

  private func shape(_ name: String) -> Shape? {
    fields[name]?.array.map { Shape($0.compactMap(\.integer)) }
  }

  private func selections(_ name: String) -> [Selection]? {
    fields[name]?.array.map { list in
      list.map { selection in
        Selection(
          (selection.array ?? []).map { pair in
            let ends = (pair.array ?? []).compactMap(\.integer)
            return ends.count == 2 ? ends[0]..<ends[1] : 0..<0
          })
      }
    }
  }
}
