import HyperslabCore

/// Descriptions, each one change away from a good one, that a store must refuse without leaving anything.
struct RefusedDescriptions<Store: ChunkedStore> {
  let store: Store
  let path: NodePath
  let start: DatasetDescription
  let recorder: Recorder

  func callAsFunction(
    _ code: HyperslabError.Code, _ what: String, _ change: (inout DatasetDescription) -> Void
  ) {
    var description = start
    change(&description)
    recorder.expectError(code, from: what) { _ = try store.createDataset(path, description) }
    recorder.expectError(.notFound, from: "opening after \(what)") { _ = try store.dataset(path) }
  }
}
