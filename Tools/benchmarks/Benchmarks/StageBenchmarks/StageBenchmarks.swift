import Benchmark
import Stages

/// Every stage under its name; a thousand iterations count as one, so that "throughput" is large
/// enough to read: bytes a stage are what `stage` lists.
let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .throughput, .peakMemoryResident], warmupIterations: 3,
    maxDuration: .milliseconds(500))
  for stage in Stage.all {
    Benchmark("\(stage.name) \(stage.byteCount) B") { benchmark in
      let body = try stage.body()
      benchmark.startMeasurement()
      for _ in benchmark.scaledIterations { body() }
    }
  }
}
