import HyperslabCodecs
import HyperslabCore
import HyperslabTestSupport
import Testing

@testable import HyperslabFormat

/// Runs of chunk tables: whatever stands in them, rows or an error come out.
@Suite struct RunFuzzTests {
  /// Reads a run as it is listed and walks the table that it is part of.
  private static func feed(
    _ bytes: [UInt8], as sample: SampleRun, _ reference: DatasetRecord.RunReference
  ) throws {
    let run = try Run(
      bytes, store: sample.store.index.uuid, dataset: sample.record.id, reference: reference,
      dataType: sample.record.description.dataType, place: "fuzz")
    try demand(run.rows.count == reference.rows, "\(run.rows.count) rows")
    let grid = sample.record.grid
    let numbering = ChunkNumbering(grid)
    for (number, row) in run.numbered.prefix(100) {
      try demand(run.row(number) == row, "row \(number) is found otherwise")
      if let other = reference.numbering.translate(number, to: numbering) {
        try demand((0..<grid.chunkCount).contains(other), "chunk \(other) of \(grid.chunkCount)")
      }
    }
    for number in [0, grid.chunkCount, StoreIndex.maximumChunkCount] { _ = run.row(number) }
    // The table that lists this run, and reading through it.
    var record = sample.record
    var listed = reference
    listed.crc = CRC32C.of(bytes)
    listed.byteCount = bytes.count
    record.runs[record.runs.count - 1] = listed
    var files = sample.store.files
    files.contents[StoreLayout.run(record.tableDirectory, listed)] = bytes
    let table = ChunkTable(
      record: record, store: sample.store.index.uuid, cache: RunCache(files: files))
    try table.forEachRow { chunk, row in
      guard row.state == .stored, row.byteCount < 1 << 16 else { return }
      let file = StoreLayout.chunk(sample.path, chunk)
      if let format = try? record.frameFormat(filter: record.filter ?? .none) {
        try? ChunkReader(format: format).check(file, in: files, row: row, quick: false)
      }
    }
    for chunk in grid.chunks.prefix(8) { _ = try table.row(chunk) }
  }

  private static func reference(
    _ sample: SampleRun, _ bytes: [UInt8], using generator: inout SeededGenerator
  ) -> DatasetRecord.RunReference {
    var reference = sample.reference
    reference.byteCount = bytes.count
    reference.crc = CRC32C.of(bytes)
    // Now and then the index lies in the same way as the run, as far as an index can.
    if generator.chance(1, in: 3), let json = try? JSONParser.parse(bytes, depthLimit: 32),
      let pairs = json.object?["id"]?.array, let low = pairs.first?.array?.first?.integer,
      let last = pairs.last?.array, last.count == 2, let start = last[0].integer,
      let count = last[1].integer, let end = Checked.add(start, count), low <= end,
      let axes = json.object?["grid"]?.array?.map({ $0.integer ?? -1 }), axes.count <= 32,
      let numbering = ChunkNumbering(Shape(axes)), numbering.count <= StoreIndex.maximumChunkCount
    {
      var lying = reference
      lying.low = low
      lying.high = end - 1
      lying.rows = json.object?["state"]?.string?.utf8.count ?? 0
      lying.numbering = numbering
      let text = try? JSONText(checking: JSONValue.object(lying.json).bytes(), depthLimit: 4)
      return text.flatMap { try? DatasetRecord.RunReference(json: $0, place: "fuzz") } ?? reference
    }
    return reference
  }

  @Test func runs() {
    Fuzzer(target: "run", defaultCount: 4000).run { generator, input in
      guard let sample = SampleRun.all.randomElement(using: &generator),
        let other = SampleRun.all.randomElement(using: &generator)
      else { throw FuzzFailure("no samples") }
      input = Resealing.document(sample.document, other: other.document.bytes, using: &generator)
      try Self.feed(input, as: sample, Self.reference(sample, input, using: &generator))
    }
  }

  @Test func keptRuns() throws {
    let inputs = try Corpus.inputs("run")
    #expect(!inputs.isEmpty)
    var generator = SeededGenerator("kept runs")
    for (name, bytes) in inputs {
      for sample in SampleRun.all {
        let reference = Self.reference(sample, bytes, using: &generator)
        do { try Self.feed(bytes, as: sample, reference) } catch {
          #expect(error is HyperslabError, "\(name): \(error)")
        }
      }
    }
  }
}
