import Hyperslab
import SystemPackage
import Testing

/// A value that is read, changed and written back in a transaction, as another one does.
@Suite struct CounterTests {
  private let directory: TemporaryDirectory
  private let path: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
    let store = try SlabStore.create(at: path)
    let counter = try store.createDataset(
      "n", DatasetDescription(shape: [1], chunkShape: [1], dataType: .int64))
    try put(0, counter)
    try store.close()
  }

  private func value(_ dataset: SlabDataset) throws -> Int64 {
    try dataset.read(Int64.self, [0]).elements[0]
  }

  private func put(_ value: Int64, _ dataset: SlabDataset) throws {
    let values = [value]
    try dataset.writeChunk(
      [0], from: values.span.bytes, layout: StridedLayout(shape: [1], byteStrides: [8]))
  }

  /// Two that write the same do not do the same work twice where each added to what it had read.
  @Test(arguments: [true, false])
  func theSameWrittenTwiceIsAConflictOfWhoHasRead(reads: Bool) throws {
    let one = try SlabStore.open(path, mode: .readWrite)
    let other = try SlabStore.open(path, mode: .readWrite)
    let attempt = Result {
      try one.transaction { store in
        let counter = try store.dataset("n")
        let before = reads ? try value(counter) : 0
        try other.transaction { store in
          let counter = try store.dataset("n")
          try put(try value(counter) + 1, counter)
        }
        try put(before + 1, counter)
      }
    }
    if reads {
      let error = #expect(throws: HyperslabError.self) { try attempt.get() }
      #expect(error?.code == .conflict)
      try one.transaction { store in
        let counter = try store.dataset("n")
        try put(try value(counter) + 1, counter)
      }
    } else {
      try attempt.get()
    }
    try one.close()
    try other.close()
    #expect(try value(try SlabStore.open(path).dataset("n")) == (reads ? 2 : 1))
  }
}
