import Hyperslab

/// What an operation took, and whether it was right.
struct Figures {
  /// Whether the figure is the time for many bytes, or for one call.
  enum Kind { case throughput, latency }

  var kind: Kind
  /// Seconds of each repetition.
  var times: [Double]
  /// Taken before results are compared, which maps the array.
  var peakByteCount = peakResidentByteCount()
  var isRight: Bool

  static func median(_ times: [Double]) -> Double { times.sorted()[times.count / 2] }

  func json(_ subject: Subject) throws -> JSONObject {
    var json: JSONObject = [:]
    let median = Self.median(times)
    switch kind {
    case .throughput:
      json["seconds"] = .double(median)
      json["MBps"] = .double(Double(subject.byteCount) / 1e6 / median)
    case .latency:
      json["median_ms"] = .double(median * 1e3)
      json["p90_ms"] = .double(times.sorted()[times.count * 9 / 10] * 1e3)
    }
    json["repeat"] = .integer(times.count)
    json["ratio"] = .double(
      Double(subject.byteCount) / Double(Swift.max(1, fileByteCount(below: subject.store))))
    json["rss_mb"] = .double(Double(peakByteCount) / 1e6)
    json["ok"] = .bool(isRight)
    return json
  }
}

/// Runs a body and tells how long it took.
func timed<R>(_ body: () throws -> R) rethrows -> (seconds: Double, result: R) {
  let start = ContinuousClock.now
  let result = try body()
  let (seconds, attoseconds) = (ContinuousClock.now - start).components
  return (Double(seconds) + Double(attoseconds) * 1e-18, result)
}
