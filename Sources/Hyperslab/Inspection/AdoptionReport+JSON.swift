public import HyperslabCore
public import HyperslabFormat

extension AdoptionReport {
  /// The report as `slab adopt --json` prints it.
  public var json: JSONValue {
    [
      "ok": .bool(left.isEmpty), "commit_before": .integer(commitBefore),
      "commit_after": .integer(commitAfter), "taken": .array(taken.map(\.json)),
      "left": .array(left.map(\.json)),
    ]
  }
}

extension AdoptionReport.Item {
  /// The item as a JSON object; `chunk` is null where none is concerned.
  public var json: JSONValue {
    [
      "path": .string(path),
      "chunk": chunk.map { .array($0.coordinates.map { .integer($0) }) } ?? .null,
      "detail": .string(detail),
    ]
  }
}
