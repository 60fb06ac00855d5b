import Dispatch
import Synchronization

/// How operations wait for each other and have work done elsewhere. Tests put a scheduler in its place
/// that tries every order.
package protocol Scheduling: Sendable {
  /// Has work done on another thread; on the caller's where there is none.
  func start(_ work: @escaping @Sendable () -> Void)
  /// Waits until a condition holds, which is asked again after each ``wake()``; it may take what it
  /// waited for.
  func wait(until isTime: () -> Bool)
  /// Has those who wait ask again.
  func wake()
}

/// Threads of the system.
package final class SystemScheduling: Scheduling {
  private let waiting = Mutex<[DispatchSemaphore]>([])

  package init() {}

  package func start(_ work: @escaping @Sendable () -> Void) { Threads.run(work) }

  package func wait(until isTime: () -> Bool) {
    while true {
      // In the list before the question, so that no answer is missed.
      let alarm = DispatchSemaphore(value: 0)
      waiting.withLock { $0.append(alarm) }
      if isTime() {
        waiting.withLock { waiting in waiting.removeAll { $0 === alarm } }
        return
      }
      alarm.wait()
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

/// Lines in which operations wait for their turn, first come first served; one line a key.
package final class Lines<Key: Hashable & Sendable>: Sendable {
  private struct Line {
    var next = 0
    var serving = 0
  }

  private let lines = Mutex<[Key: Line]>([:])
  private let scheduling: any Scheduling

  package init(_ scheduling: any Scheduling) { self.scheduling = scheduling }

  /// Waits until everybody who came before has left.
  package func enter(_ key: Key) {
    let ticket = lines.withLock { lines in
      defer { lines[key, default: Line()].next += 1 }
      return lines[key]?.next ?? 0
    }
    scheduling.wait { lines.withLock { $0[key]?.serving == ticket } }
  }

  /// Enters a line only if nobody is in it.
  package func enterIfFree(_ key: Key) -> Bool {
    lines.withLock { lines in
      guard lines[key] == nil else { return false }
      lines[key] = Line(next: 1, serving: 0)
      return true
    }
  }

  /// Lets the next one in.
  package func leave(_ key: Key) {
    lines.withLock { lines in
      lines[key]?.serving += 1
      if let line = lines[key], line.serving == line.next { lines[key] = nil }
    }
    scheduling.wake()
  }
}
