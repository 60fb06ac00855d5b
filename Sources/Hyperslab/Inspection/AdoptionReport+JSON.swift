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
  /// The item as a JSON object; `chunk` is null where none is concerned, `attributes` where none were taken.
  public var json: JSONValue {
    [
      "path": .string(path),
      "chunk": chunk.map { .array($0.coordinates.map { .integer($0) }) } ?? .null,
      "detail": .string(detail), "attributes": attributes?.json ?? .null,
    ]
  }
}

extension AdoptionReport.AttributeChanges {
  /// The names as a JSON object; `kept` is null where nothing had to be.
  public var json: JSONValue {
    func list(_ names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
    return [
      "set": list(set), "changed": list(changed), "removed": list(removed),
      "kept": kept.map { .string($0) } ?? .null,
    ]
  }
}
