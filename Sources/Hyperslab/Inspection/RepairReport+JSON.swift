public import HyperslabCore
public import HyperslabFormat

extension RepairReport {
  /// The report as `slab repair --json` prints it.
  public var json: JSONValue {
    [
      "ok": .bool(ok), "changed": .bool(changed),
      "commit_before": commitBefore.map { .integer($0) } ?? .null,
      "commit_after": .integer(commitAfter), "actions": .array(actions.map(\.json)),
      "remaining": .array(remaining.map(\.json)), "unchecked": .array(unchecked.map(\.json)),
    ]
  }
}

extension RepairReport.Action {
  /// The action as a JSON object; `chunk` is null where none is concerned.
  public var json: JSONValue {
    [
      "path": .string(path),
      "chunk": chunk.map { .array($0.coordinates.map { .integer($0) }) } ?? .null,
      "kind": .string(kind.rawValue), "action": .string(action),
    ]
  }
}
