import HyperslabCore

@testable import HyperslabFormat

/// What a store holds: the model that schedules are held against.
struct ScheduleModel: Hashable, Sendable {
  /// A data set of one axis in chunks of four.
  struct Dataset: Hashable, Sendable {
    /// Nil where nobody wrote.
    var values: [Int32?]
    var attribute: Int?

    init(values: [Int32?]) { self.values = values }

    init(reading path: String, of store: SlabStore) throws {
      let node = try store.node(NodePath(path))
      let dataset = try store.dataset(path)
      // The state of each chunk and its elements together: a reader must see both of one commit.
      let marked = try dataset.read(Int32.self, [0...], missing: .fill).elements
      values = marked.map { $0 == 0 ? nil : $0 }
      attribute = node.attributes["a"]?.integer
    }
  }

  var datasets: [String: Dataset] = [:]

  init() {}

  init(reading store: SlabStore) throws {
    for case .dataset(let info) in store.nodes() {
      datasets[info.path.description] = try Dataset(reading: info.path.description, of: store)
    }
  }

  /// Carries out an operation; false where it must have failed.
  mutating func apply(_ operation: ScheduledOperation, value: Int32) -> Bool {
    switch operation {
    case .append(let path, let count): return append(count, to: path, value)
    case .create(let path, let count):
      if datasets[path] != nil { return false }
      datasets[path] = Dataset(values: ScheduledOperation.elements(count, from: value))
    case .put(let path, let chunk), .putTogether(let path, let chunk):
      guard let old = datasets[path], old.values.count >= 4 * chunk + 4 else { return false }
      for index in 4 * chunk..<4 * chunk + 4 { datasets[path]?.values[index] = value }
    case .resize(let path, let length):
      guard let old = datasets[path] else { return false }
      let kept = old.values.prefix(length)
      datasets[path]?.values = kept + Array(repeating: nil, count: length - kept.count)
    case .replace(let path, let count):
      datasets[path] = Dataset(values: ScheduledOperation.elements(count, from: value))
    case .remove(let path):
      guard datasets.removeValue(forKey: path) != nil else { return false }
    case .attribute(let path):
      guard datasets[path] != nil else { return false }
      datasets[path]?.attribute = Int(value)
    case .several(let a, let b, let count):
      guard append(count, to: a, value), append(count, to: b, value) else { return false }
      datasets[a]?.attribute = Int(value)
    case .failing, .commit, .reload, .read: break
    }
    return true
  }

  private mutating func append(_ count: Int, to path: String, _ value: Int32) -> Bool {
    guard datasets[path] != nil else { return false }
    datasets[path]?.values += ScheduledOperation.elements(count, from: value)
    return true
  }
}

/// Operations and the values that tell who did them.
struct ScheduledWork: Hashable, Sendable {
  let operation: ScheduledOperation
  let value: Int32
}

extension ScheduleModel {
  /// Every state that operations can lead to, each done once or not at all, in any order; those of
  /// `certain` are all done in the last.
  static func reachable(
    from start: ScheduleModel, certain: [ScheduledWork], possible: [ScheduledWork]
  ) -> (between: Set<ScheduleModel>, last: Set<ScheduleModel>) {
    let all = certain + possible
    var between: Set<ScheduleModel> = []
    var last: Set<ScheduleModel> = []
    var seen: Set<Step> = []
    func visit(_ state: ScheduleModel, _ done: Set<Int>) {
      guard seen.insert(Step(state: state, done: done)).inserted else { return }
      between.insert(state)
      if certain.indices.allSatisfy(done.contains) { last.insert(state) }
      for number in all.indices where !done.contains(number) {
        var next = state
        if next.apply(all[number].operation, value: all[number].value) {
          visit(next, done.union([number]))
        }
      }
    }
    visit(start, [])
    return (between, last)
  }

  private struct Step: Hashable {
    let state: ScheduleModel
    let done: Set<Int>
  }
}
