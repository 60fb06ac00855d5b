import HyperslabCore
import HyperslabTestSupport
import SystemPackage

@testable import HyperslabFormat

/// A program at work, on a store on a simulated disk and on the model at once.
final class ProgramRun {
  struct Failure: Error, CustomStringConvertible { let description: String }

  private static let names = ["a", "b", "g/a", "g/h/b", "g/h/c2", "h"]

  private var disk: SimulatedDisk
  private var store: SlabStore
  /// What the store will hold when all is committed, and what it held or may hold after each commit.
  private var model = ProgramModel()
  private var outcomes: [ProgramModel]
  private var standing: Int

  init() throws {
    let empty = SimulatedDisk()
    _ = try empty.makeDirectory(StorePath(CrashScript.home))
    try StoreCreation.fill(empty.at(CrashScript.home), durability: .full)
    disk = SimulatedDisk(empty.core.state.withLock { $0.image })
    outcomes = [ProgramModel()]
    standing = 0
    store = try CrashScript.open(disk.at(CrashScript.home), .readWrite)
  }

  static func run(_ program: Program) throws {
    let run = try ProgramRun()
    for (number, step) in program.steps.enumerated() {
      do { try run.carryOut(step) } catch {
        throw Failure(description: "step \(number), \(step): \(error)")
      }
    }
    try run.finish()
  }

  private func carryOut(_ step: Program.Step) throws {
    switch step {
    case .create(let name, let seed): try create(Self.names[name % Self.names.count], seed)
    case .group(let name): try createGroup(Self.names[name % Self.names.count])
    case .replace(let pick, let seed): try replace(pick, seed)
    case .remove(let pick):
      let all = model.groups.keys.filter { !$0.isEmpty } + model.datasets.keys
      guard !all.isEmpty else { return }
      let path = all.sorted()[pick % all.count]
      try store.remove(NodePath(path))
      model.remove(path)
    case .write(let pick, let chunk, let seed): try write(pick, chunk, seed)
    case .clear(let pick, let chunk): try write(pick, chunk, nil)
    case .resize(let pick, let seed): try resize(pick, seed)
    case .append(let pick, let seed): try append(pick, seed)
    case .attribute(let pick, let value):
      let all = Array(model.groups.keys) + Array(model.datasets.keys)
      let path = all.sorted()[pick % all.count]
      let new: JSONValue? = value % 4 == 0 ? nil : .integer(value)
      try store.setAttribute("k\(value % 3)", new, of: NodePath(path))
      if model.groups[path] != nil {
        model.groups[path]?["k\(value % 3)"] = new
      } else {
        model.datasets[path]?.description.attributes["k\(value % 3)"] = new
      }
    case .commit: try commit { try store.commit() }
    case .close:
      try commit { try store.close() }
      try verify()
      store = try CrashScript.open(disk.at(CrashScript.home), .readWrite)
    case .kill: try goOn(with: SimulatedDisk(trace))
    case .crash(let seed): try crash(seed)
    case .other(let pick, let seed): try writeAsAnother(pick, seed)
    }
  }

  // MARK: - Steps

  private func create(_ path: String, _ seed: Int) throws {
    let ancestors = path.split(separator: "/").dropLast().indices
      .map { path.split(separator: "/").prefix($0 + 1).joined(separator: "/") }
    guard !model.holds(path), ancestors.allSatisfy({ model.datasets[$0] == nil }) else { return }
    var generator = SeededGenerator("data set", seed)
    let dataset = ProgramDataset(using: &generator)
    _ = try store.createDataset(NodePath(path), dataset.description)
    model.addGroups(above: path)
    model.datasets[path] = dataset
  }

  private func createGroup(_ path: String) throws {
    let names = path.split(separator: "/")
    let above = names.indices.dropLast().map { names.prefix($0 + 1).joined(separator: "/") }
    guard !model.holds(path), above.allSatisfy({ model.datasets[$0] == nil }) else { return }
    try store.createGroup(NodePath(path))
    model.addGroups(above: path)
    model.groups[path] = [:]
  }

  private func pick(_ number: Int) -> String? {
    let all = model.datasets.keys.sorted()
    return all.isEmpty ? nil : all[number % all.count]
  }

  private func replace(_ number: Int, _ seed: Int) throws {
    // A data set that no commit has yet cannot be replaced.
    guard let path = pick(number), outcomes[standing].datasets[path] != nil,
      store.changes?.state.withLock({ state in
        (try? NodePath(path)).map {
          state.changes.datasets[$0] == nil && state.changes.removed[$0] == nil
        }
      }) == true
    else { return }
    var generator = SeededGenerator("data set", seed)
    let dataset = ProgramDataset(using: &generator)
    _ = try store.replaceDataset(NodePath(path), dataset.description)
    model.datasets[path] = dataset
  }

  private func write(_ number: Int, _ chunk: Int, _ seed: Int?) throws {
    guard let path = pick(number), let grid = model.datasets[path]?.grid, grid.chunkCount > 0
    else { return }
    try put(try grid.index(ofNumber: chunk % grid.chunkCount), of: path, seed, in: store)
    try compare(path)
  }

  /// Writes random elements, or the fill value.
  private func put(
    _ chunk: ChunkIndex, of path: String, _ seed: Int?, in store: SlabStore
  ) throws {
    guard let dataset = model.datasets[path], let grid = dataset.grid else { return }
    let type = dataset.description.dataType
    let valid = grid.validShape(of: chunk)
    let count = valid.elementCount ?? 0
    var bytes = (0..<count).flatMap { _ in dataset.description.fillValue.bytes }
    if let seed {
      var generator = SeededGenerator("chunk", seed)
      bytes = ElementPattern.bytes(count: count, of: type, using: &generator)
    }
    guard let layout = StridedLayout.rowMajor(valid, elementByteCount: type.byteCount) else {
      return
    }
    let handle = try store.dataset(NodePath(path))
    try bytes.withUnsafeBytes { try handle.writeChunk(chunk, from: $0.bytes, layout: layout) }
    model.datasets[path]?.write(chunk, bytes)
  }

  private func resize(_ number: Int, _ seed: Int) throws {
    guard let path = pick(number), let old = model.datasets[path]?.description.shape else { return }
    var generator = SeededGenerator("shape", seed)
    let shape = Shape(
      old.map { Swift.min(12, Swift.max(0, $0 + Int.random(in: -4...4, using: &generator))) })
    _ = try store.dataset(NodePath(path)).resized(to: shape)
    model.datasets[path]?.resize(shape)
    try compare(path)
  }

  private func append(_ number: Int, _ seed: Int) throws {
    guard let path = pick(number), let old = model.datasets[path]?.description.shape, old.rank > 0,
      old[0] < 20
    else { return }
    var axes = old.axes
    axes[0] += 1 + seed % 5
    _ = try store.dataset(NodePath(path)).resized(to: Shape(axes))
    model.datasets[path]?.resize(Shape(axes))
    guard let grid = model.datasets[path]?.grid else { return }
    for chunk in grid.chunks where chunk.coordinates[0] >= old[0] / grid.chunkShape[0] {
      try put(chunk, of: path, seed, in: store)
    }
    try compare(path)
  }

  /// Between two commits of ours, so that nothing of ours is open.
  private func writeAsAnother(_ number: Int, _ seed: Int) throws {
    try commit { try store.commit() }
    guard let path = pick(number), let dataset = model.datasets[path], let grid = dataset.grid
    else { return }
    let free = grid.chunks.filter { dataset.state($0) == .neverWritten }
    guard !free.isEmpty else { return }
    let other = try CrashScript.open(disk.at(CrashScript.home), .readWrite)
    try put(free[seed % free.count], of: path, seed, in: other)
    // The other one's close says that the store is complete; that is the same outcome.
    try commit { try other.commit() }
    try commit { try other.close() }
    try store.refresh()
  }

  // MARK: - Commits and accidents

  private var trace: DiskTrace { disk.core.state.withLock { $0.trace } }

  private func note(_ change: DiskOperation.Change) {
    disk.core.state.withLock { $0.note(DiskOperation(kind: .mark, path: .root, change: change)) }
  }

  private func commit(_ body: () throws -> Void) throws {
    outcomes.append(model)
    note(.begun(outcomes.count - 1))
    try body()
    standing = outcomes.count - 1
    note(.acknowledged(standing))
    let reader = try CrashScript.open(disk.at(CrashScript.home), .readOnly)
    if let difference = try model.difference(from: reader) {
      throw Failure(description: "after the commit: \(difference)")
    }
  }

  private func crash(_ seed: Int) throws {
    var generator = SeededGenerator("crash", seed)
    let moments = CrashMoment.all(of: trace)
    let last = moments.count - 1
    // Mostly of late, where the last commit is not yet sure.
    let early = generator.chance(1, in: 4) ? 0 : last - 60
    // The first operation says what stood on the disk when it began.
    let first = Swift.min(last, Swift.max(1, early))
    let moment = moments[Int.random(in: first...last, using: &generator)]
    let image = moment.randomState(using: &generator)
    let reader = try CrashScript.open(SimulatedDisk(image).at(CrashScript.home), .readOnly)
    let found = try Set([moment.acknowledged, moment.begun]).first {
      try outcomes[$0].difference(from: reader) == nil
    }
    guard let found else {
      let what = try outcomes[moment.acknowledged].difference(from: reader) ?? ""
      throw Failure(description: "after operation \(moment.point) of \(last): \(what)")
    }
    standing = found
    try goOn(with: SimulatedDisk(image))
  }

  /// A new process finds a disk and goes on from what was committed.
  private func goOn(with disk: SimulatedDisk) throws {
    self.disk = SimulatedDisk(trace(of: disk))
    store = try CrashScript.open(self.disk.at(CrashScript.home), .readWrite)
    model = outcomes[standing]
    if let difference = try model.difference(from: store) {
      throw Failure(description: "after recovery: \(difference)")
    }
  }

  /// What was acknowledged stays so: a later power cut may lose nothing of it.
  private func trace(of disk: SimulatedDisk) -> DiskTrace {
    var trace = disk.core.state.withLock { $0.trace }
    trace.operations.append(
      DiskOperation(kind: .mark, path: .root, change: .acknowledged(standing)))
    return trace
  }

  // MARK: - Comparing

  private func compare(_ path: String) throws {
    guard let dataset = model.datasets[path] else { return }
    if let difference = try ProgramModel.difference(of: store.dataset(NodePath(path)), dataset) {
      throw Failure(description: "\(path): \(difference)")
    }
  }

  private func verify() throws {
    var verifier = Verifier(
      files: disk.at(CrashScript.home), node: .root, quick: false, threads: 1)
    try verifier.run()
    if let problem = verifier.finished.problems.first(where: \.kind.isDamage) {
      throw Failure(description: "verify: \(problem)")
    }
  }

  private func finish() throws {
    try commit { try store.close() }
    try verify()
  }
}
