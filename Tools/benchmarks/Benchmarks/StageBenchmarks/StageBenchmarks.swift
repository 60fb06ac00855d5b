import Benchmark
import Stages

/// Every stage under its name and the bytes that one iteration handles.
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
