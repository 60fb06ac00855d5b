import HyperslabCore
import HyperslabIteration

@testable import HyperslabFormat

/// What an actor does to a store in one go.
enum ScheduledOperation: Hashable, Sendable, CustomStringConvertible {
  case append(String, Int)
  case create(String, Int)
  /// A chunk, by a direct call and a commit.
  case put(String, Int)
  /// The same in a transaction.
  case putTogether(String, Int)
  case resize(String, Int)
  case replace(String, Int)
  case remove(String)
  case attribute(String)
  /// Two appends and an attribute.
  case several(String, String, Int)
  /// A transaction that does what `several` does and then fails.
  case failing(String, String, Int)
  case commit
  case reload
  case read(String)

  var description: String {
    switch self {
    case .append(let path, let count): "append(\(path), \(count))"
    case .create(let path, let count): "create(\(path), \(count))"
    case .put(let path, let chunk): "put(\(path), \(chunk))"
    case .putTogether(let path, let chunk): "putTogether(\(path), \(chunk))"
    case .resize(let path, let length): "resize(\(path), \(length))"
    case .replace(let path, let count): "replace(\(path), \(count))"
    case .remove(let path): "remove(\(path))"
    case .attribute(let path): "attribute(\(path))"
    case .several(let a, let b, let count): "several(\(a), \(b), \(count))"
    case .failing(let a, let b, let count): "failing(\(a), \(b), \(count))"
    case .commit: "commit"
    case .reload: "reload"
    case .read(let path): "read(\(path))"
    }
  }

  /// Whether it can change what a store holds.
  var changes: Bool {
    switch self {
    case .commit, .reload, .read, .failing: false
    default: true
    }
  }

  /// In which order it appends to several data sets: those that do in different orders could wait for each
  /// other for ever.
  var order: String? {
    switch self {
    case .several(let a, let b, _), .failing(let a, let b, _): "\(a) \(b)"
    default: nil
    }
  }

  struct Refusal: Error {}

  /// Elements that tell who wrote them.
  static func elements(_ count: Int, from value: Int32) -> [Int32] {
    (0..<count).map { value + Int32($0) }
  }

  static func description(length: Int) -> DatasetDescription {
    DatasetDescription(
      shape: [length], chunkShape: [4], dataType: .int32, maximumShape: [nil],
      compression: .init(filter: Filter.none))
  }

  /// Does it; what it saw, for one that reads.
  func run(on store: SlabStore, value: Int32) throws -> ScheduleModel.Dataset? {
    switch self {
    case .append(let path, let count): try Self.append(count, to: path, store, value)
    case .create(let path, let count):
      let source = try InMemorySource(elements: Self.elements(count, from: value), shape: [count])
      let iterator = try GenericDataChunkIterator(source, bufferShape: [count], chunkShape: [4])
      try store.write(
        iterator, to: path, options: WriteOptions(maximumShape: [nil], threads: 1))
    case .put(let path, let chunk):
      do {
        try store.dataset(path).put(chunk, value)
        try store.commit()
      } catch {
        try? store.reload()
        throw error
      }
    case .putTogether(let path, let chunk):
      try store.transaction { try $0.dataset(path).put(chunk, value) }
    case .resize(let path, let length):
      try store.transaction { _ = try $0.resizeDataset(NodePath(path), to: [length]) }
    case .replace(let path, let count):
      try store.transaction { store in
        let new = try store.replaceDataset(NodePath(path), Self.description(length: count))
        try writeAll(Self.elements(count, from: value), to: new)
      }
    case .remove(let path): try store.transaction { try $0.remove(NodePath(path)) }
    case .attribute(let path):
      try store.transaction { try $0.setAttribute("a", .integer(Int(value)), of: NodePath(path)) }
    case .several(let a, let b, let count):
      try store.transaction { try Self.several($0, a, b, count, value) }
    case .failing(let a, let b, let count):
      do {
        try store.transaction { store in
          try Self.several(store, a, b, count, value)
          throw Refusal()
        }
      } catch is Refusal {}
    case .commit: try store.commit()
    case .reload:
      try store.commit()
      try store.reload()
    case .read(let path):
      try store.refresh()
      return try ScheduleModel.Dataset(reading: path, of: store)
    }
    return nil
  }

  private static func append(
    _ count: Int, to path: String, _ store: SlabStore, _ value: Int32
  ) throws {
    let source = try InMemorySource(elements: elements(count, from: value), shape: [count])
    try store.append(source, to: path, options: WriteOptions(threads: 1))
  }

  private static func several(
    _ store: SlabStore, _ a: String, _ b: String, _ count: Int, _ value: Int32
  ) throws {
    try append(count, to: a, store, value)
    try append(count, to: b, store, value)
    try store.setAttribute("a", .integer(Int(value)), of: NodePath(a))
  }
}
