import HyperslabCore
import Testing

@Suite struct HyperslabErrorTests {
  @Test func sayWhatWhereExpectedFoundAndTheWayOut() {
    let error = HyperslabError(
      .neverWritten, "never written", at: "a/b", chunk: [0, 3], expected: "x", found: "y",
      remedy: "Write it")
    #expect("\(error)" == "a/b: chunk 0/3: never written; expected x, found y. Write it")
    #expect("\(HyperslabError(.overflow, "too much"))" == "too much")
    let cause = HyperslabError(.invalidJSON, "bad", cause: HyperslabError(.notFound, "gone"))
    #expect("\(cause)" == "bad (gone)")
    #expect("\(error.code)" == "never_written")
  }

  @Test func theInnermostPlaceStays() {
    let inner = HyperslabError(.overflow, "x").located(at: "inner", chunk: [1])
    let outer = inner.located(at: "outer", chunk: [2])
    #expect(outer.place == "inner")
    #expect(outer.chunk == [1])
    #expect(inner.located(at: nil).place == "inner")
  }
}
