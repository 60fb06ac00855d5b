import HyperslabCore
import HyperslabTestSupport
import Testing

/// The suite is worth what it catches: stores with one fault each must fail the check meant for it.
@Suite struct StoreConformanceTests {
  @Test(arguments: [
    (Fault.forgetsFillState, StoreCheck.states), (.givesFillForMissing, .neverWritten),
    (.ignoresEdges, .types), (.dropsFirstByte, .layouts), (.forgetsOnReopening, .reopening),
    (.writesNowhere, .replacement), (.ignoresBounds, .outOfBounds),
    (.dropsFirstByte, .resizing), (.givesFillForMissing, .resizing),
    (.givesFillForMissing, .resuming),
  ])
  func faultyStoresFail(_ fault: Fault, _ check: StoreCheck) {
    let conformance = StoreConformance(trials: 5) { store in
      fault == .forgetsOnReopening ? FaultyStore(fault) : store
    } makeStore: {
      FaultyStore(fault)
    }
    let failure = #expect(throws: ConformanceFailure.self) { try conformance.run(check) }
    #expect(failure?.check == check)
    #expect(failure?.failures.isEmpty == false)
  }
}

enum Fault: Sendable {
  case forgetsFillState, givesFillForMissing, ignoresEdges, dropsFirstByte, forgetsOnReopening
  case writesNowhere, ignoresBounds
}

/// A ``MemoryStore`` with a fault.
private final class FaultyStore: ChunkedStore {
  private let base = MemoryStore()
  private let fault: Fault

  init(_ fault: Fault) { self.fault = fault }

  func createGroup(_ path: NodePath, attributes: JSONObject) throws(HyperslabError) {
    try base.createGroup(path, attributes: attributes)
  }

  func createDataset(
    _ path: NodePath, _ description: DatasetDescription
  ) throws(HyperslabError) -> FaultyDataset {
    FaultyDataset(base: try base.createDataset(path, description), fault: fault)
  }

  func dataset(_ path: NodePath) throws(HyperslabError) -> FaultyDataset {
    FaultyDataset(base: try base.dataset(path), fault: fault)
  }

  func commit() throws(HyperslabError) {}

  func resizeDataset(
    _ path: NodePath, to shape: Shape
  ) throws(HyperslabError) -> FaultyDataset {
    FaultyDataset(base: try base.resizeDataset(path, to: shape), fault: fault)
  }
}

private struct FaultyDataset: ChunkedDataset {
  let base: MemoryDataset
  let fault: Fault
  var path: NodePath { base.path }
  var description: DatasetDescription { base.description }
  var grid: ChunkGrid { base.grid }

  func state(of chunk: ChunkIndex) throws(HyperslabError) -> ChunkState {
    if fault == .ignoresBounds, !grid.contains(chunk) { return .neverWritten }
    let state = try base.state(of: chunk)
    if fault == .forgetsFillState, state == .fill { return .stored }
    if fault == .givesFillForMissing, state == .neverWritten { return .fill }
    return state
  }

  func writeChunk(
    _ chunk: ChunkIndex, from bytes: RawSpan, layout: StridedLayout
  ) throws(HyperslabError) {
    let isEdge = grid.contains(chunk) && grid.validShape(of: chunk) != grid.chunkShape
    if fault == .ignoresEdges, isEdge { return }
    if fault == .writesNowhere, try base.state(of: chunk) != .neverWritten { return }
    try base.writeChunk(chunk, from: bytes, layout: layout)
  }

  func readChunk(
    _ chunk: ChunkIndex, region: StridedSelection, into bytes: inout MutableRawSpan,
    layout: StridedLayout
  ) throws(HyperslabError) {
    try base.readChunk(chunk, region: region, into: &bytes, layout: layout)
    if fault == .dropsFirstByte, bytes.byteCount > 0 {
      bytes.withUnsafeMutableBytes { $0[0] ^= 1 }
    }
  }
}
