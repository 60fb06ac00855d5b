import HyperslabCodecs
import HyperslabCore
import HyperslabTestSupport

@testable import HyperslabFormat

/// A small store that asks for much work: every file's checksums hold, and what they say is at the limits
/// that the format allows, or beyond. `Tools/checks/hostile.py` makes such for the tool.
struct HostileStore {
  private(set) var files = MemoryFiles()
  private var generator: SeededGenerator
  /// About how many bytes are still to be had.
  private var budget: Int
  private static let uuid = "4be74429e4389a18ed4f09648f290e81"
  private static let writer = "0123456789abcdef0123456789abcdef"
  private let commit: Int

  init(using generator: inout SeededGenerator) {
    self.generator = SeededGenerator(seed: generator.next())
    budget = 1 << Int.random(in: 10...13, using: &self.generator)
    commit = [1, 2, 1000, 1 << 53 - 3, 1 << 53 - 2].randomElement(using: &self.generator) ?? 1
    make()
  }

  private mutating func pick<T>(_ values: [T]) -> T {
    values[Int.random(in: 0..<values.count, using: &generator)]
  }

  private mutating func chance(_ one: Int) -> Bool { generator.chance(1, in: one) }

  private mutating func share() -> Int {
    let left = Swift.max(0, budget)
    let share = Int.random(in: left / 16...left * 3 / 4 + 1, using: &generator)
    budget = Swift.max(0, budget - share)
    return Swift.max(share, 1)
  }

  // MARK: - Strings and values

  private mutating func text(_ byteCount: Int) -> String {
    let unit = pick(["a", "\u{301}", "\u{316}\u{301}", "e\u{301}", "日", "😀", "\\", "\"", "\u{1}"])
    return String(repeating: unit, count: Swift.max(1, byteCount / unit.utf8.count))
  }

  private mutating func number(upTo limit: Int) -> Int {
    Swift.min(limit, pick([0, 1, 2, 255, 1 << 20, 1 << 31 - 1, 1 << 40, 1 << 53 - 1, limit]))
  }

  private mutating func value(_ byteCount: Int) -> JSONValue {
    func nested(_ depth: Int, _ wrap: (JSONValue) -> JSONValue) -> JSONValue {
      (0..<depth).reduce(0) { inner, _ in wrap(inner) }
    }
    func many(_ value: JSONValue, _ size: Int) -> JSONValue {
      .array(Array(repeating: value, count: Swift.max(1, byteCount / size)))
    }
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: return .string(text(byteCount))
    case 1: return .object([text(byteCount): 1])
    case 2: return many(0, 3)
    case 3: return many([0], 5)
    case 4: return many(nested(60) { [$0] }, 122)
    case 5: return many(nested(60) { ["": $0] }, 500)
    case 6:
      var members = JSONObject()
      for index in 0..<byteCount / 12 { members["\(index)"] = [] }
      return .object(members)
    default: return many(1e308, 7)
    }
  }

  private mutating func attributes() -> JSONObject {
    chance(2) ? [:] : [chance(2) ? "a" : text(share()): value(share())]
  }

  private mutating func name() -> String {
    let unit = pick(["a", "\u{301}", "é", "日", "\u{316}\u{301}"])
    let count = pick([1, 12, 252]) / unit.utf8.count
    return pick(["a", "z", "é"]) + String(repeating: unit, count: count)
  }

  // MARK: - Nodes

  private mutating func make() {
    var nodes: JSONObject = ["": ["kind": "group", "attributes": .object(attributes())]]
    var paths = [""]
    var path = ""
    for index in 0..<pick([1, 3, 50, 400]) where budget > 0 {
      let own = name()
      let next = chance(2) || path.isEmpty ? "\(own)\(index)" : "\(path)/\(own)"
      if next.utf8.count > 1024 || own.utf8.count > 250 { continue }
      path = next
      paths.append(path)
      nodes[path] = ["kind": "group", "attributes": .object(attributes())]
      budget -= path.utf8.count + 40
    }
    for number in 0..<pick([0, 1, 2, 5, 100]) where budget > 0 {
      let parent = pick(paths)
      let path = parent.isEmpty ? "d\(number)" : "\(parent)/d\(number)"
      if path.utf8.count <= 1024 { nodes[path] = .object(dataset(number, path)) }
    }
    var root: JSONObject = [
      "slab": 1, "read_features": [], "write_features": ["runs"], "uuid": .string(Self.uuid),
      "commit": .integer(commit), "time": .string(text(pick([1, 900]))), "writer": "w",
      "state": .string(pick(["open", "complete"])),
      "next_id": .integer(pick([10_000, 1 << 53 - 1])),
      "nodes": .object(nodes),
    ]
    if chance(4) {
      root["removed"] = .array(
        (0..<share() / 40).map { ["id": .string("d\(9000 - $0 % 8000)"), "path": "gone"] })
    }
    if chance(6) { root["x-" + text(share())] = value(share()) }
    if chance(20) { root[text(share())] = 1 }
    files.contents[StoreLayout.index] = SelfCheck.seal(root)
    files.contents[StoreLayout.lock] = []
    for older in 1...2 where commit >= older && chance(2) {
      root["commit"] = .integer(commit - older)
      files.contents[StoreLayout.oldIndex(commit: commit - older)] = SelfCheck.seal(root)
    }
  }

  private mutating func dataset(_ number: Int, _ path: String) -> JSONObject {
    budget -= 500
    let shapes: [(shape: [Int], chunk: [Int])] = [
      ([1 << 40], [1]), ([1 << 62 - 1], [1 << 22]),
      (Array(repeating: 2, count: 32), Array(repeating: 1, count: 32)),
      ([1 << 20, 1 << 20], [1, 1]), ([1 << 30], [1 << 30]), ([1 << 28 - 1, 3], [1 << 28, 2]),
      ([], []),
      ([0], [1]), ([100, 6], [4, 4]),
    ]
    let (shape, chunk) = pick(shapes)
    let grid = zip(shape, chunk).map { $0.dividedRoundingUp(by: $1) }
    let total = grid.reduce(1, *)
    let stored = chance(2) ? 0 : self.number(upTo: total)
    var json: JSONObject = [
      "kind": "dataset", "id": .string("d\(number)"), "shape": .array(shape.map { .integer($0) }),
      "max_shape": .array(shape.map { _ in nil }),
      "chunk_shape": .array(chunk.map { .integer($0) }),
      "dtype": "int8", "fill_value": 0,
      "codec": [
        "name": "blosc1-lz4", "filter": .string(pick(["none", "shuffle", "bitshuffle"])),
        "block": .integer(pick([4096, 65536, 1 << 22])), "level": 12,
      ],
      "dims": nil, "unit": chance(4) ? .string(text(share())) : nil,
      "attributes": .object(attributes()), "commit": .integer(self.number(upTo: commit)),
      "chunks": ["stored": .integer(stored), "fill": .integer(chance(2) ? 0 : total - stored)],
      "stored_bytes": .integer(self.number(upTo: 1 << 53 - 1)), "nan": 0,
    ]
    let runs = runs(number, path, grid)
    json["runs"] = .array(runs.map { .object($0.json) })
    let rows = runs.reduce(0) { $0 + $1.rows }
    if rows > 0, chance(2) {
      let count = Swift.min(rows, total)
      let all: JSONValue = count > 0 ? [[0, .integer(count)]] : []
      json["pending"] = [
        "writer": .string(Self.writer), "slot": .integer(self.number(upTo: 1 << 53 - 1)),
        "batch": 0,
        "grid": .array(grid.map { .integer($0) }), "rows": chance(2) ? all : [],
        "drop": [],
      ]
      if json["pending"]?.object?["rows"] == [] {
        var pending = json["pending"]?.object ?? [:]
        pending["drop"] = all
        json["pending"] = .object(pending)
      }
    }
    return json
  }

  // MARK: - Runs

  private mutating func runs(
    _ number: Int, _ path: String, _ grid: [Int]
  ) -> [DatasetRecord.RunReference] {
    var runs: [DatasetRecord.RunReference] = []
    for index in 0..<pick([0, 1, 2, 8, 200]) where budget > 0 {
      let other = grid.isEmpty ? [] : [1 << 40] + Array(repeating: 1, count: grid.count - 1)
      guard let numbering = ChunkNumbering(Shape(chance(2) ? grid : other)), numbering.count > 0,
        numbering.count <= StoreIndex.maximumChunkCount
      else { continue }
      budget -= 150
      let commit = pick([commit, 1, index])
      if chance(2) {
        // One that is not there.
        let size = pick([16 << 20, 6, 1000])
        let high = pick([numbering.count, Swift.min(numbering.count, 1 << 16)]) - 1
        let rows = Swift.min(high + 1, size / 6, pick([1, 16384, 1 << 40]))
        runs.append(
          .init(
            commit: commit, crc: UInt32(index), byteCount: size, numbering: numbering, low: 0,
            high: high, rows: rows))
      } else {
        runs.append(run(number, path, commit, numbering))
      }
    }
    return runs
  }

  private mutating func run(
    _ number: Int, _ path: String, _ commit: Int, _ numbering: ChunkNumbering
  ) -> DatasetRecord.RunReference {
    let count = Swift.min(numbering.count, pick([1, 3, share() / 12 + 1]))
    let gap = chance(2) ? 1 : Swift.max(1, numbering.count / count)
    let state = pick([ChunkState.stored, .fill, .neverWritten])
    var row = ChunkRow(state: state)
    if state == .stored { (row.byteCount, row.crc) = (self.number(upTo: 1 << 31 - 1), .max) }
    let numbers = (0..<count).map { $0 * gap }
    let run = Run(
      numbering: numbering, ranges: .init(rising: numbers),
      rows: ChunkRows(Array(repeating: row, count: count)))
    let node = (try? NodePath(path)) ?? .root
    let bytes =
      (try? run.encoded(store: Self.uuid, dataset: number, path: node, commit: commit)) ?? []
    let reference = DatasetRecord.RunReference(
      commit: commit, crc: CRC32C.of(bytes), byteCount: bytes.count, numbering: numbering,
      low: 0, high: (count - 1) * gap, rows: count)
    files.contents[StoreLayout.run(StoreLayout.tables / "d\(number)", reference)] = bytes
    return reference
  }
}
