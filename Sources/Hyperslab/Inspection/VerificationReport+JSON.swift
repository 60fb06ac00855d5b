public import HyperslabCore
public import HyperslabFormat

extension VerificationReport {
  /// The report as `slab verify --json` prints it.
  public var json: JSONValue {
    [
      "ok": .bool(ok), "datasets": .integer(datasets), "chunks_checked": .integer(chunksChecked),
      "bytes_checked": .integer(bytesChecked), "problems": .array(problems.map(\.json)),
      "zarr_view": .string(zarrView.rawValue),
      "zarr_differences": .array(zarrDifferences.map { .string($0) }),
      "unchecked": .array(unchecked.map(\.json)),
    ]
  }
}

extension VerificationReport.Unchecked {
  /// What could not be looked at, as a JSON object.
  public var json: JSONValue { ["path": .string(path), "detail": .string(detail)] }
}

extension VerificationReport.Problem {
  /// The problem as a JSON object; `chunk` is null where none is concerned.
  public var json: JSONValue {
    [
      "path": .string(path),
      "chunk": chunk.map { .array($0.coordinates.map { .integer($0) }) } ?? .null,
      "kind": .string(kind.rawValue), "detail": .string(detail),
    ]
  }
}
