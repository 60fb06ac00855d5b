import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How operations wait for each other and have work done elsewhere. Tests put a scheduler in its place
/// that tries every order.
package protocol Scheduling: Sendable {
  /// Has work done on another thread; on the caller's where there is none.
  func start(_ work: @escaping @Sendable () -> Void)
  /// Waits until a condition holds, which is asked again after each ``wake()``; it may take what it
  /// waited for.
  func wait(until isTime: () -> Bool)
  /// The same for a condition of which a part comes to hold without a ``wake()``: it is asked now and
  /// then, too, always on the caller's thread.
  func poll(until isTime: () -> Bool)
  /// Has those who wait ask again.
  func wake()
}

extension Scheduling {
  package func poll(until isTime: () -> Bool) { wait(until: isTime) }
}

/// Threads of the system.
package final class SystemScheduling: Scheduling {
  private let waiting = Mutex<[DispatchSemaphore]>([])

  package init() {}

  package func start(_ work: @escaping @Sendable () -> Void) { Threads.run(work) }

  package func wait(until isTime: () -> Bool) { wait(atMost: .distantFuture, until: isTime) }

  package func poll(until isTime: () -> Bool) {
    wait(atMost: .now() + .milliseconds(20), until: isTime)
  }

  /// - Parameter pause: How long at most before it asks again.
  private func wait(atMost pause: @autoclosure () -> DispatchTime, until isTime: () -> Bool) {
    while true {
      // In the list before the question, so that no answer is missed.
      let alarm = DispatchSemaphore(value: 0)
      waiting.withLock { $0.append(alarm) }
      let isOver = isTime()
      if !isOver, alarm.wait(timeout: pause()) == .success { continue }
      waiting.withLock { waiting in waiting.removeAll { $0 === alarm } }
      if isOver { return }
    }
  }

  package func wake() {
    let alarms = waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    for alarm in alarms { alarm.signal() }
  }
}

/// Lines in which operations wait for their turn, first come first served; one line a key. Who stands first
/// in a line has its turn until it leaves.
package final class Lines<Key: Hashable & Sendable>: Sendable {
  /// What becomes of somebody who enters a line.
  package enum Turn: Sendable {
    /// The turn came.
    case has
    /// Those before wait for the owner in another line, for ever.
    case ring
    /// Those before go on only when the caller's own thread returns.
    case itself
  }

  // Thread handles are only compared.
  private struct State: @unchecked Sendable {
    var lines: [Key: [Int]] = [:]
    /// Whose turn has not come, and in which line.
    var waiting: [Int: Key] = [:]
    /// Threads on which the caller's own code runs as a part of an operation.
    var inside: [Int: [pthread_t]] = [:]

    /// Takes somebody out of a line whose turn has not come.
    mutating func remove(_ owner: Int, from key: Key) {
      waiting[owner] = nil
      guard var line = lines[key], let place = line.lastIndex(of: owner) else { return }
      line.remove(at: place)
      lines[key] = line.isEmpty ? nil : line
    }

    /// Whether this thread would wait for what goes on only when it returns.
    func wouldWaitForItself(for key: Key) -> Bool {
      let thread = pthread_self()
      return lines[key]?.contains { owner in
        inside[owner]?.contains { pthread_equal($0, thread) != 0 } ?? false
      } ?? false
    }

    /// Whether somebody's turn would never come, since whoever has it waits for them.
    func wouldWaitForEver(_ owner: Int, for key: Key) -> Bool {
      var key = key
      while let first = lines[key]?.first {
        if first == owner { return true }
        // It may stand first already and not know yet.
        guard let next = waiting[first], next != key else { return false }
        key = next
      }
      return false
    }
  }

  private let state = Mutex(State())
  private let scheduling: any Scheduling

  package init(_ scheduling: any Scheduling) { self.scheduling = scheduling }

  /// Waits until everybody who came before has left.
  ///
  /// - Parameter owner: Who comes, by a number of its own.
  /// - Returns: what came of it.
  @discardableResult
  package func enter(_ key: Key, _ owner: Int) -> Turn {
    let turn = join(key, owner)
    if turn == .has { scheduling.wait { takeTurn(key, owner) } }
    return turn
  }

  /// The same for somebody who may give up.
  ///
  /// - Parameter checkWanted: Asked while it waits, on the caller's thread; throws what ends the wait.
  /// - Throws: what `checkWanted` throws; the line is then as if nobody had entered it.
  package func enter(
    _ key: Key, _ owner: Int, checkWanted: () throws(HyperslabError) -> Void
  ) throws(HyperslabError) -> Turn {
    let turn = join(key, owner)
    guard turn == .has else { return turn }
    if ObserverThreads.hasThisOne, !takeTurn(key, owner) {
      leave(owner, key)
      return .itself
    }
    var failure: HyperslabError?
    scheduling.poll {
      if takeTurn(key, owner) { return true }
      // It may enter the line itself, behind the owner.
      do throws(HyperslabError) { try inside(owner, checkWanted) } catch { failure = error }
      return failure != nil
    }
    guard let failure else { return turn }
    leave(owner, key)
    throw failure
  }

  private func join(_ key: Key, _ owner: Int) -> Turn {
    state.withLock { state in
      if state.wouldWaitForItself(for: key) { return .itself }
      if state.wouldWaitForEver(owner, for: key) { return .ring }
      state.lines[key, default: []].append(owner)
      state.waiting[owner] = key
      return .has
    }
  }

  private func leave(_ owner: Int, _ key: Key) {
    state.withLock { $0.remove(owner, from: key) }
    scheduling.wake()
  }

  private func takeTurn(_ key: Key, _ owner: Int) -> Bool {
    state.withLock { state in
      guard state.lines[key]?.first == owner else { return false }
      state.waiting[owner] = nil
      return true
    }
  }

  /// Runs the caller's own code as a part of an operation, which goes on only when that returns.
  package func inside<R, E: Error>(
    _ owner: Int, _ body: () throws(E) -> R
  ) throws(E) -> R {
    let thread = pthread_self()
    state.withLock { $0.inside[owner, default: []].append(thread) }
    defer {
      state.withLock { state in
        state.inside[owner]?.removeLast()
        if state.inside[owner]?.isEmpty == true { state.inside[owner] = nil }
      }
    }
    return try body()
  }

  /// Lets the next one in.
  package func leave(_ key: Key) {
    state.withLock { state in
      state.lines[key]?.removeFirst()
      if state.lines[key]?.isEmpty == true { state.lines[key] = nil }
    }
    scheduling.wake()
  }
}
