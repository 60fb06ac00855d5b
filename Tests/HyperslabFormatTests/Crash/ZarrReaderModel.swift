import HyperslabCodecs
import HyperslabCore

@testable import HyperslabFormat

/// What a Zarr reader sees of a store: it knows documents and chunk files, and nothing of the index.
struct ZarrReaderModel {
  struct Array: Sendable {
    let shape: [Int]
    let chunkShape: [Int]
    /// By chunk number; nil where there is no file.
    let chunks: [[Int32]?]
  }

  /// By the document of each node itself.
  private(set) var direct: [String: Array] = [:]
  /// By what the root's document says of all, where it says anything.
  private(set) var consolidated: [String: Array]?

  init(_ files: any FileSystem) throws {
    guard let root = try Self.document(files, .root) else { return }
    try Self.visit(files, .root) { path, document in
      direct["\(path)"] = try Self.array(files, path, document)
    }
    guard let copies = root["consolidated_metadata"]?.object?["metadata"]?.object else { return }
    var listed: [String: Array] = [:]
    for (name, value) in copies {
      guard let document = value.object, document["node_type"]?.string == "array" else { continue }
      listed[name] = try Self.array(files, NodePath(name), document)
    }
    consolidated = listed
  }

  private static func document(_ files: any FileSystem, _ path: NodePath) throws -> JSONObject? {
    guard try files.status(StoreLayout.zarr(path)) != nil else { return nil }
    let bytes = try files.contents(StoreLayout.zarr(path), limit: 1 << 20)
    guard let document = try? JSONParser.parse(bytes).object else {
      throw CrashCheck.Failure(description: "\(path)/zarr.json of \(bytes.count) bytes is none")
    }
    return document
  }

  private static func visit(
    _ files: any FileSystem, _ group: NodePath, _ body: (NodePath, JSONObject) throws -> Void
  ) throws {
    for entry in try files.list(StoreLayout.node(group)) where entry.kind == .directory {
      guard let path = try? NodePath((group.components + [entry.name]).joined(separator: "/")),
        let document = try document(files, path)
      else { continue }
      if document["node_type"]?.string == "array" {
        try body(path, document)
      } else {
        try visit(files, path, body)
      }
    }
  }

  private static func array(
    _ files: any FileSystem, _ path: NodePath, _ document: JSONObject
  ) throws -> Array {
    let foreign: ForeignArray
    do { foreign = try ForeignArray(document) } catch {
      throw CrashCheck.Failure(description: "\(path): \(error.reason)")
    }
    let grid = try foreign.description.validated()
    let count = grid.chunkShape.elementCount ?? 0
    let chunks = try grid.chunks.map { chunk -> [Int32]? in
      let place = StoreLayout.chunk(path, chunk)
      guard try files.status(place)?.kind == .file else { return nil }
      let bytes = try files.contents(place, limit: 1 << 20)
      guard let values = ForeignArray.decoded(bytes, foreign.chain, byteCount: 4 * count) else {
        throw CrashCheck.Failure(description: "a Zarr reader of \(path) stumbles over \(chunk)")
      }
      return values.withUnsafeBytes { Swift.Array($0.bindMemory(to: Int32.self)) }
    }
    return Array(
      shape: foreign.description.shape.axes, chunkShape: grid.chunkShape.axes, chunks: chunks)
  }
}

/// What a Zarr reader may see: each data set as some commit left it. Of chunks that were overwritten in
/// place each is of one commit, but all of one data set, not of another that it replaced.
struct ZarrExpectations: Sendable {
  /// By path, each data set that ever stood there with all that it was.
  private var past: [String: [Int: [StoreContents.Dataset]]] = [:]
  private let outcomes: [StoreContents?]

  init(_ script: CrashScript) {
    outcomes = script.outcomes
    for (outcome, generations) in zip(script.outcomes, script.generations) {
      for (path, dataset) in outcome?.datasets ?? [:] {
        past[path, default: [:]][generations[path] ?? 0, default: []].append(dataset)
      }
    }
  }

  func check(_ files: any FileSystem, allowed: Set<Int>) throws {
    let model = try ZarrReaderModel(files)
    for (path, array) in model.direct { try check(path, array, "itself") }
    for (path, array) in model.consolidated ?? [:] { try check(path, array, "the root's document") }
    // What was acknowledged is there.
    guard allowed.count == 1, let only = allowed.first, let outcome = outcomes[only] else { return }
    let expected = outcome.datasets.mapValues(\.shape)
    for (how, found) in [("direct", model.direct), ("consolidated", model.consolidated ?? [:])]
    where found.mapValues(\.shape) != expected {
      throw CrashCheck.Failure(
        description: "a Zarr reader (\(how)) sees \(found.mapValues(\.shape)), not \(expected)")
    }
  }

  private func check(_ path: String, _ array: ZarrReaderModel.Array, _ how: String) throws {
    let isOfOne = (past[path] ?? [:]).values.contains { isOf($0, array) }
    if !isOfOne {
      throw CrashCheck.Failure(
        description:
          "a Zarr reader sees \(path) by \(how) as no commit had it: \(array.shape), "
          + "\(array.chunks.map { $0.map { "\($0)" } ?? "–" })")
    }
  }

  private func isOf(
    _ states: [StoreContents.Dataset], _ array: ZarrReaderModel.Array
  ) -> Bool {
    // Of longer ones it is a part.
    let whole = states.filter { state in
      state.chunkShape == array.chunkShape && zip(state.shape, array.shape).allSatisfy(>=)
    }
    guard !whole.isEmpty, states.contains(where: { isShape(array.shape, between: states, $0) }),
      let grid = try? ChunkGrid(arrayShape: Shape(array.shape), chunkShape: Shape(array.chunkShape))
    else { return false }
    return zip(grid.chunks, array.chunks).allSatisfy { chunk, values in
      whole.contains { $0.holds(values, at: chunk, grid) }
    }
  }

  /// As long as one commit made it along each axis.
  private func isShape(
    _ shape: [Int], between states: [StoreContents.Dataset], _ state: StoreContents.Dataset
  ) -> Bool {
    shape.indices.allSatisfy { axis in states.contains { $0.shape[axis] == shape[axis] } }
  }
}

extension StoreContents.Dataset {
  /// Whether a chunk of an array that may be shorter is what this one has there.
  fileprivate func holds(_ chunk: [Int32]?, at index: ChunkIndex, _ grid: ChunkGrid) -> Bool {
    let valid = grid.validShape(of: index).axes
    var position = Swift.Array(repeating: 0, count: valid.count)
    for _ in 0..<valid.reduce(1, *) {
      var (here, there) = (0, 0)
      for axis in valid.indices {
        here = here * chunkShape[axis] + position[axis]
        there = there * shape[axis] + index.coordinates[axis] * chunkShape[axis] + position[axis]
      }
      if chunk?[here] ?? 0 != values[there] { return false }
      for axis in valid.indices.reversed() {
        position[axis] += 1
        if position[axis] < valid[axis] { break }
        position[axis] = 0
      }
    }
    return true
  }
}
