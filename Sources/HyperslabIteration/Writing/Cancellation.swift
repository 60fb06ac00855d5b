import HyperslabCore
import Synchronization

/// A switch that ends work on other threads, at the next chunk; in a write, at the next few where
/// neighbours with short rows are written together.
public final class Cancellation: Sendable {
  private let flag = Atomic<Bool>(false)

  /// A switch that nobody has thrown.
  public init() {}

  /// Ends the work; it throws `cancelled`. There is no way back.
  public func cancel() { flag.store(true, ordering: .releasing) }
  /// Whether the work is to end.
  public var isCancelled: Bool { flag.load(ordering: .acquiring) }
}

/// - Throws: `cancelled` when the switch was thrown, or the calling thread's task cancelled.
func checkCancelled(_ cancellation: Cancellation?, at path: NodePath) throws(HyperslabError) {
  guard cancellation?.isCancelled ?? false || Task.isCancelled else { return }
  throw HyperslabError(
    .cancelled, "the write was cancelled", at: "\(path)",
    remedy: "What was committed before stays")
}
