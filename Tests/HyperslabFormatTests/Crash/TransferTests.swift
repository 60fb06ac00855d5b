import Testing

@testable import HyperslabFormat

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// System calls that transfer less than they were asked to.
@Suite struct TransferTests {
  /// Answers in turn: bytes, or a negated error.
  private func transfer(_ count: Int, _ answers: [Int]) -> (done: Int?, starts: [Int]) {
    var rest = answers[...]
    var starts: [Int] = []
    let done = transferAll(count) { done in
      starts.append(done)
      let answer = rest.popFirst() ?? 0
      if answer >= 0 { return answer }
      errno = Int32(-answer)
      return -1
    }
    return (done, starts)
  }

  @Test func shortTransfersGoOnWhereTheyStopped() {
    #expect(transfer(10, [4, 1, 5]) == (10, [0, 4, 5]))
    #expect(transfer(0, []) == (0, []))
  }

  @Test func signalsAreNoFailures() {
    let interrupted = -Int(EINTR)
    #expect(transfer(10, [interrupted, 4, interrupted, interrupted, 6]) == (10, [0, 0, 4, 4, 4]))
  }

  @Test func nothingMoreEndsIt() {
    #expect(transfer(10, [4, 0, 6]) == (4, [0, 4]))
  }

  @Test(arguments: [EIO, ENOSPC]) func failuresAreTold(error: Int32) {
    let (done, starts) = transfer(10, [4, -Int(error)])
    #expect(done == nil && starts == [0, 4] && errno == error)
  }
}
