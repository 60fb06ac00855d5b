import Hyperslab
import SystemPackage
import Testing

/// What `test_io_hdf5_h5tools.py` of HDMF demands of writing a `GenericDataChunkIterator`, with a slab
/// store in HDF5's place.
@Suite struct HDMFWriteTests {
  private let directory: TemporaryDirectory
  private let store: SlabStore
  private let values = (0..<30).map { Int32($0) }

  init() throws {
    directory = try TemporaryDirectory()
    store = try SlabStore.create(at: directory.path.appending("h5.slab"), durability: .fast)
  }

  private func iterator(
    chunkShape: Shape? = nil
  ) throws -> GenericDataChunkIterator<InMemorySource<Int32>> {
    try GenericDataChunkIterator(
      try InMemorySource(elements: values, shape: [5, 2, 3]), chunkShape: chunkShape)
  }

  // test_write_dataset_generic_data_chunk_iterator
  @Test func dataAndTypeAreEqual() throws {
    let dataset = try store.write(try iterator(), to: "data")
    #expect(try dataset.read(Int32.self).elements == values)
    #expect(dataset.description.dataType == .int32)
  }

  // test_write_dataset_generic_data_chunk_iterator_with_compression
  @Test(arguments: Filter.allCases) func filtersAndLevelsAreSet(filter: Filter) throws {
    var options = WriteOptions()
    options.compression = Compression(filter: filter, level: 5)
    let dataset = try store.write(try iterator(), to: "data", options: options)
    #expect(try dataset.read(Int32.self).elements == values)
    #expect(dataset.info.filter == filter && dataset.info.level == 5)
  }

  // test_pass_through_of_chunk_shape_generic_data_chunk_iterator, test_pass_through_of_recommended_chunks
  @Test func theIteratorsChunkShapeIsTheDatasets() throws {
    let dataset = try store.write(try iterator(chunkShape: [5, 1, 1]), to: "data")
    #expect(dataset.grid.chunkShape == [5, 1, 1])
    #expect(try dataset.read(Int32.self).elements == values)
  }

  // test_chunk_shape_override_through_wrapper, test_dataio_maxshape, test_dataio_maxshape_from_data
  @Test func optionsWinOverTheIterator() throws {
    var options = WriteOptions()
    options.chunkShape = [2, 2, 2]
    options.maximumShape = [nil, 2, 3]
    let dataset = try store.write(
      try iterator(chunkShape: [5, 1, 1]), to: "data", options: options)
    #expect(dataset.grid.chunkShape == [2, 2, 2])
    #expect(dataset.description.maximumShape == [nil, 2, 3])
    #expect(try dataset.read(Int32.self).elements == values)
    #expect(try store.write(try iterator(), to: "plain").description.maximumShape == [5, 2, 3])
  }

  // HDF5IOEmptyDataset.test_write_empty_dataset
  @Test func anEmptyDatasetIsFilledLater() throws {
    let empty = try store.createDataset(
      "data", DatasetDescription(shape: [5, 2, 3], chunkShape: [1, 2, 3], dataType: .int32))
    try store.commit()
    #expect(throws: HyperslabError.self) { try empty.read(Int32.self) }
    let layout = try #require(StridedLayout.rowMajor([1, 2, 3], elementByteCount: 4))
    try values[6..<12].withUnsafeBytes {
      try empty.writeChunk([1, 0, 0], from: $0.bytes, layout: layout)
    }
    try store.commit()
    #expect(try empty.read(Int32.self, [1]).elements == Array(values[6..<12]))
  }

  // HDF5IOEmptyDataset.test_overwrite_dataset
  @Test func writingTwiceIsRefused() throws {
    try store.write(try iterator(), to: "data")
    let error = #expect(throws: HyperslabError.self) {
      try store.write(try iterator(), to: "data")
    }
    #expect(error?.code == .alreadyExists)
  }
}
