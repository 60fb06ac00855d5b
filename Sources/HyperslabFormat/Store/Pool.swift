import Synchronization

/// Keeps things that are costly to make for the next who needs one.
final class Pool<Item>: @unchecked Sendable {
  // An item is in the list or with exactly one borrower, never both, so items need not be Sendable.
  private struct Items: @unchecked Sendable {
    var list: [Item] = []
  }

  private let items = Mutex(Items())

  /// Lends an item to `body`, making one if all are in use.
  func withItem<R, E: Error>(
    make: () -> Item, _ body: (Item) throws(E) -> R
  ) throws(E) -> R {
    let borrowed = takeIdle() ?? make()
    defer { put(borrowed) }
    return try body(borrowed)
  }

  private func takeIdle() -> Item? {
    var idle: Unchecked?
    idle = items.withLock { items in items.list.popLast().map { Unchecked(item: $0) } }
    return idle?.item
  }

  private func put(_ item: Item) {
    let unchecked = Unchecked(item: item)
    items.withLock { $0.list.append(unchecked.item) }
  }

  private struct Unchecked: @unchecked Sendable { let item: Item }
}
