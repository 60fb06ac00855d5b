import Benchmark
import Stages

let benchmarks: @Sendable () -> Void = {
  Benchmark("x") { _ in _ = Stage.all }
}
