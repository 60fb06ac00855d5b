import Foundation
import HyperslabCore
import HyperslabTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a fuzzed piece of code did that it must not do.
struct FuzzFailure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

/// Checks a property of one input.
func demand(_ condition: Bool, _ what: @autoclosure () -> String) throws {
  guard condition else { throw FuzzFailure(what()) }
}

/// Feeds numbered inputs to one target; each must end in a value or a `HyperslabError`, soon.
///
/// * `HYPERSLAB_FUZZ`: how many inputs a target; the default run takes few.
/// * `HYPERSLAB_SEED`: the base seed; input n of a target follows from it alone.
/// * `HYPERSLAB_FUZZ_ONLY`: runs the input of this number alone.
/// * `HYPERSLAB_FUZZ_LAST`: a file that always holds the number of the input at work, for the case
///   that it ends the process.
/// * `HYPERSLAB_FUZZ_KEEP`: a directory that gets one short input of every outcome.
struct Fuzzer {
  let target: String
  let defaultCount: Int
  private static let environment = ProcessInfo.processInfo.environment
  /// CPU seconds that one input may take.
  private static let limit = 1.0

  /// Runs the target.
  ///
  /// - Parameter one: Makes an input from the generator and feeds it; returns its bytes.
  func run(_ one: (inout SeededGenerator, inout [UInt8]) throws -> Void) {
    let isLong = Self.environment["HYPERSLAB_FUZZ"] != nil
    let count = Self.environment["HYPERSLAB_FUZZ"].flatMap(Int.init) ?? defaultCount
    let only = Self.environment["HYPERSLAB_FUZZ_ONLY"].flatMap(Int.init)
    let last = Self.environment["HYPERSLAB_FUZZ_LAST"].map {
      open("\($0)-\(target)", O_CREAT | O_WRONLY | O_TRUNC, 0o644)
    }
    var corpus = Self.environment["HYPERSLAB_FUZZ_KEEP"].map(CorpusWriter.init)
    // Made when they are first asked for; that is no input's time.
    _ = (SampleStore.all.count, SampleFrame.all.count, SampleRun.all.count)
    let residentBefore = Self.peakResidentByteCount
    var values = 0
    var failures = 0
    var slowest = (seconds: 0.0, index: 0)
    for index in only.map({ $0..<$0 + 1 }) ?? 0..<count {
      var generator = SeededGenerator("fuzz \(target)", index)
      if let last { pwrite(last, "\(index)\n", "\(index)\n".utf8.count, 0) }
      var input: [UInt8] = []
      var outcome = "value"
      let begun = Self.threadSeconds
      do {
        try one(&generator, &input)
        values += 1
      } catch let error as HyperslabError {
        outcome = "\(error.code)-\(error.what)"
      } catch {
        failures += 1
        if failures <= 10 { Issue.record("\(target), input \(index): \(error)") }
      }
      let seconds = Self.threadSeconds - begun
      if seconds > slowest.seconds { slowest = (seconds, index) }
      corpus?.note(input, outcome: outcome, target: target)
    }
    let seed = SeededGenerator.baseSeed
    #expect(failures == 0, "\(target), seed \(seed): \(failures) failures")
    #expect(
      slowest.seconds < Self.limit, "\(target), seed \(seed), input \(slowest.index) is slow")
    let grown = (Self.peakResidentByteCount - residentBefore) >> 20
    if isLong { #expect(grown < 256, "\(target): memory grew by \(grown) MiB") }
    if only == nil {
      #expect(values > count / 100 && values < count, "\(target): \(values) of \(count) accepted")
    }
    try? corpus?.write()
    print(
      "fuzz \(target): \(count) inputs from seed \(seed), \(values) gave values,",
      "slowest \(Int(slowest.seconds * 1e6)) µs, memory +\(grown) MiB, \(failures) failures")
  }

  /// CPU time of this thread: other load on the machine must not fail a test.
  private static var threadSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static var peakResidentByteCount: Int {
    var usage = rusage()
    #if canImport(Glibc)
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return usage.ru_maxrss << 10
    #else
      getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #endif
  }
}
