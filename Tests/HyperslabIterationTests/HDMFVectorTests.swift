import HyperslabCore
import HyperslabIteration
import HyperslabTestSupport
import Testing

@Suite("The vectors that HDMF itself computed")
struct HDMFVectorTests {
  @Test func theFilesAreThere() {
    #expect(HDMFVector.shared.count == 1502)
    #expect(HDMFVector.special.count >= 44)
  }

  @Test func digestsFollowFIPS180() {
    var empty = SHA256()
    #expect(
      empty.hexDigest() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }

  @Test func everyAcceptedCaseIsAnsweredExactly() throws {
    for vector in HDMFVector.shared where vector.error == nil {
      let plan = try vector.plan(#require(vector.dataType))
      #expect(plan.chunkShape == vector.chunk, "\(vector.id)")
      #expect(plan.bufferShape == vector.buffer, "\(vector.id)")
      #expect(plan.count == vector.bufferCount, "\(vector.id)")
      if let first = vector.first {
        #expect(Array(plan.prefix(first.count)) == first, "\(vector.id)")
      }
      if let last = vector.last {
        #expect(Array(plan.suffix(last.count)) == last, "\(vector.id)")
      }
      if let digest = vector.digest { #expect(self.digest(plan) == digest, "\(vector.id)") }
    }
  }

  @Test func everyRefusalIsHDMFs() throws {
    for vector in HDMFVector.shared {
      guard let error = vector.error, error != "other" else { continue }
      let refusal = #expect(throws: HyperslabError.self, "\(vector.id)") {
        try vector.plan(#require(vector.dataType))
      }
      #expect(refusal?.code.rawValue == error, "\(vector.id)")
    }
  }

  @Test func wherePythonFellOverThereIsAnAnswer() throws {
    for vector in HDMFVector.shared where vector.error == "other" {
      let type = try #require(vector.dataType)
      switch vector.message {
      case "integer modulo by zero":
        let refusal = #expect(throws: HyperslabError.self) { try vector.plan(type) }
        #expect(refusal?.code == .nonpositiveChunk, "\(vector.id)")
      case "cannot convert float infinity to integer":
        let plan = try vector.plan(type)
        if vector.chunkMB.map({ $0 > 1e290 }) ?? false {
          #expect(plan.chunkShape == vector.array, "\(vector.id)")
        }
        #expect(plan.bufferShape == vector.array, "\(vector.id)")
      default:
        // Zero-length axes: legal unless the buffer asked for is longer than they are.
        if vector.bufferShape == nil {
          #expect(try vector.plan(type).isEmpty, "\(vector.id)")
        } else {
          let refusal = #expect(throws: HyperslabError.self) { try vector.plan(type) }
          #expect(refusal?.code == .bufferExceedsData, "\(vector.id)")
        }
      }
    }
  }

  @Test func accidentsOfPythonNeverTrap() throws {
    for vector in HDMFVector.special {
      let type = vector.dataType ?? .uint8
      let result = Result { () throws(HyperslabError) in try vector.plan(type) }
      guard let plan = try? result.get() else { continue }
      _ = plan.warnings
      if let first = plan.first, let last = plan.last {
        #expect(Selection(all: plan.shape).contains(first), "\(vector.id)")
        #expect(Selection(all: plan.shape).contains(last), "\(vector.id)")
      }
    }
  }

  @Test func farBeyondDoublesTheSelectionsAreExact() throws {
    let cases = HDMFVector.special.filter { $0.note.hasPrefix("beyond 2^53") }
    #expect(cases.count == 7)
    for vector in cases {
      let plan = try vector.plan(#require(vector.dataType))
      #expect(plan.chunkShape == vector.chunk, "\(vector.id)")
      #expect(plan.bufferShape == vector.buffer, "\(vector.id)")
      if let first = vector.first {
        #expect(Array(plan.prefix(first.count)) == first, "\(vector.id)")
      }
      if let last = vector.last {
        #expect(Array(plan.suffix(last.count)) == last, "\(vector.id)")
      }
    }
  }

  @Test func itemSizesThatAreNoPowerOfTwoFollowTheSameRules() throws {
    let cases = HDMFVector.special.filter { $0.note.hasPrefix("item size") }
    #expect(cases.count == 14)
    for vector in cases {
      let chunk = try ChunkShapeRule.chunkShape(
        of: vector.array, elementByteCount: vector.itemByteCount, chunkMB: vector.chunkMB ?? 10)
      let buffer = try BufferShapeRule.bufferShape(
        of: vector.array, chunkShape: chunk, elementByteCount: vector.itemByteCount,
        bufferGB: vector.bufferGB ?? 1)
      #expect(chunk == vector.chunk, "\(vector.id)")
      #expect(buffer == vector.buffer, "\(vector.id)")
    }
  }

  private func digest(_ plan: BufferPlan) -> String {
    var hash = SHA256()
    for selection in plan {
      let line = selection.bounds.map { "\($0.lowerBound):\($0.upperBound)" }
      hash.update((line.joined(separator: ",") + "\n").utf8)
    }
    return hash.hexDigest()
  }
}
