import HyperslabCore

extension WriterSession {
  /// What a session knows and did; all of it under one lock.
  struct State: Sendable {
    /// The index that the changes are made against.
    var base: StoreIndex { didSet { lowercased = nil } }
    var changes = Changes()
    /// Counts commits of this writer, so that staged names are never used twice.
    var batch = 0
    var slots: [NodePath: Int] = [:]
    var nextSlot = 0
    /// Ids that commits gave to data sets that this session created, by slot.
    var created: [Int: Int] = [:]
    /// Held while this writer lives, so that others leave its directory alone.
    var ownLock: (any FileLock)?
    /// After a failure in the middle of a commit nobody knows what the disk holds.
    var poison: HyperslabError?
    var isClosed = false
    /// The batches of which the private directory may hold files that nobody refers to.
    private var strays: Set<Int> = []
    private var lowercased: [String: NodePath]?

    init(base: StoreIndex) { self.base = base }

    /// Every node there is or will be, by its name in lower case.
    mutating func names() -> [String: NodePath] {
      if let lowercased { return lowercased }
      var names: [String: NodePath] = [:]
      for keys in [
        Array(base.nodes.keys), Array(changes.groups.keys), Array(changes.datasets.keys),
      ] {
        for path in keys where holds(path) {
          names[path.description.lowercased()] = path
        }
      }
      lowercased = names
      return names
    }

    mutating func forgetNames() { lowercased = nil }

    /// Whether there is or will be such a node.
    func holds(_ path: NodePath) -> Bool {
      changes.groups[path] != nil || changes.datasets[path] != nil
        || base.nodes[path] != nil && changes.removed[path] == nil
    }

    mutating func addNames(_ paths: [NodePath]) {
      for path in paths { lowercased?[path.description.lowercased()] = path }
    }

    /// A number for a data set that starts with nothing written; what was written to a namesake
    /// that it replaces is dropped.
    mutating func newSlot(_ path: NodePath) -> Int {
      if let old = slots[path] { changes.slots[old] = nil }
      defer { nextSlot += 1 }
      slots[path] = nextSlot
      return nextSlot
    }

    /// Drops what was written to a data set that is removed; its handles end.
    mutating func forgetSlot(_ path: NodePath) {
      if let slot = slots.removeValue(forKey: path) { changes.slots[slot] = nil }
    }

    /// Starts over after a commit that stands, or after dropping what was not committed.
    mutating func beginBatch(on index: StoreIndex) {
      changes = Changes()
      base = index
      batch += 1
      strays = strays.filter { $0 >= batch }
    }

    /// Whether the private directory may hold a file of the present batch that nobody refers to.
    var hasStrays: Bool { strays.contains(batch) }

    mutating func noteStray(ofBatch batch: Int) { strays.insert(batch) }

    /// Remembers the ids of what a commit created.
    mutating func noteCreated(in index: StoreIndex) {
      for path in changes.datasets.keys {
        if let slot = slots[path] { created[slot] = index.dataset(path)?.id }
      }
    }

    /// Refuses a handle of a data set that this session removed or is replacing.
    func checkCurrent(_ slot: Int, _ path: NodePath) throws(HyperslabError) {
      guard slots[path] == slot else {
        throw HyperslabError(
          .snapshotChanged, "the data set was replaced or removed since it was opened",
          at: "\(path)", remedy: "Open it again")
      }
    }

    /// Refuses a chunk whose valid part is not what it is in the array's shape by now.
    func checkShape(
      _ slot: Int, _ path: NodePath, _ chunk: ChunkIndex, opened: DatasetRecord
    ) throws(HyperslabError) {
      guard let shape = shape(slot, path, opened: opened), shape != opened.description.shape else {
        return
      }
      let grid = try ChunkGrid(arrayShape: shape, chunkShape: opened.grid.chunkShape)
      guard grid.contains(chunk), grid.validShape(of: chunk) == opened.grid.validShape(of: chunk)
      else {
        throw HyperslabError(
          .snapshotChanged, "the data set was resized since it was opened", at: "\(path)",
          chunk: chunk, expected: "a handle of shape \(shape)",
          found: "one of \(opened.description.shape)",
          remedy: "Use the handle that resizing returned, or open the data set again")
      }
    }

    /// The shape that this session gave to a data set or last saw it in; nil where the handle, opened
    /// as `opened`, knows better.
    func shape(_ slot: Int, _ path: NodePath, opened: DatasetRecord) -> Shape? {
      if let shape = changes.slots[slot]?.shape { return shape }
      if let new = changes.datasets[path] { return new.record.description.shape }
      return base.commit >= opened.commit ? base.dataset(path)?.description.shape : nil
    }
  }
}
