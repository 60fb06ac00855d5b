import Synchronization

/// A switch that ends work on other threads, at the next chunk.
public final class Cancellation: Sendable {
  private let flag = Atomic<Bool>(false)

  /// A switch that nobody has thrown.
  public init() {}

  /// Ends the work; it throws `cancelled`. There is no way back.
  public func cancel() { flag.store(true, ordering: .releasing) }
  /// Whether the work is to end.
  public var isCancelled: Bool { flag.load(ordering: .acquiring) }
}
