import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Keeps things that are costly to make for the next who needs one.
///
/// A thread gets the item that it had before, if that is idle: its memory is in the thread's caches.
final class Pool<Item>: @unchecked Sendable {
  // An item is in the list or with exactly one borrower, never both, so items need not be Sendable.
  private struct Idle: @unchecked Sendable {
    let item: Item
    let thread: pthread_t
  }

  private let idle = Mutex<[Idle]>([])

  /// Lends an item to `body`, making one if all are in use.
  func withItem<R, E: Error>(
    make: () throws(E) -> Item, _ body: (Item) throws(E) -> R
  ) throws(E) -> R {
    let thread = pthread_self()
    let borrowed = if let taken = take(thread) { taken } else { try make() }
    defer {
      let back = Idle(item: borrowed, thread: thread)
      idle.withLock { $0.append(back) }
    }
    return try body(borrowed)
  }

  private func take(_ thread: pthread_t) -> Item? {
    let taken = idle.withLock { list -> Idle? in
      guard let own = list.lastIndex(where: { pthread_equal($0.thread, thread) != 0 }) else {
        return list.popLast()
      }
      return list.remove(at: own)
    }
    return taken?.item
  }
}
