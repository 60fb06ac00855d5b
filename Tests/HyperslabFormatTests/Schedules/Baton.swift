import Dispatch
import HyperslabCore
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Lets one of several actors go on at a time, in an order that is known beforehand: an actor keeps the
/// baton until it waits for another one, ends, or comes to a step at which it is to be interrupted.
///
/// A step is a call to the disk.
final class Baton: Sendable {
  /// Thrown into no code of the library: what the disk says once the process was killed.
  static let killed = HyperslabError(.io, "killed")

  private enum Status { case ready, waiting, ended }

  private struct State {
    var actors: [Status] = []
    var current = 0
    var step = 0
    /// At which steps another actor goes on: which of the others that can.
    var interruptions: [Int: Int] = [:]
    var killStep: Int?
    var isKilled = false
    var isStuck = false
  }

  private let state: Mutex<State>
  private let alarms: [DispatchSemaphore]
  private let isOver = DispatchSemaphore(value: 0)
  /// What is to be done when the process is killed.
  private let kill: @Sendable () -> Void

  init(
    actors: Int, interruptions: [Int: Int], killStep: Int?, kill: @escaping @Sendable () -> Void
  ) {
    state = Mutex(
      State(
        actors: Array(repeating: .ready, count: actors), interruptions: interruptions,
        killStep: killStep))
    alarms = (0..<actors).map { _ in DispatchSemaphore(value: 0) }
    self.kill = kill
  }

  /// How many steps there were.
  var stepCount: Int { state.withLock { $0.step } }
  /// Whether actors waited for each other for ever.
  var isStuck: Bool { state.withLock { $0.isStuck } }
  var isKilled: Bool { state.withLock { $0.isKilled } }

  /// Runs actors, the first one first, until all have ended.
  func run(_ actors: [@Sendable () -> Void]) {
    for (number, body) in actors.enumerated() {
      Threads.run { [self] in
        alarms[number].wait()
        body()
        end()
      }
    }
    alarms[0].signal()
    isOver.wait()
  }

  /// A step of the present actor.
  func step() {
    let (mine, next, isKilled) = state.withLock { state -> (Int, Int, Bool) in
      let mine = state.current
      let number = state.step
      state.step += 1
      var isKilled = false
      if number == state.killStep {
        state.isKilled = true
        isKilled = true
      }
      if let choice = state.interruptions[number] {
        let others = state.actors.indices.filter { $0 != mine && state.actors[$0] == .ready }
        if !others.isEmpty { state.current = others[choice % others.count] }
      }
      return (mine, state.current, isKilled)
    }
    if isKilled { kill() }
    hand(from: mine, to: next)
  }

  /// Lets others go on until something holds.
  func wait(until isTime: () -> Bool) {
    while !isTime() {
      let (mine, next) = state.withLock { state -> (Int, Int?) in
        let mine = state.current
        state.actors[mine] = .waiting
        let next = state.actors.indices.first { state.actors[$0] == .ready }
        if let next {
          state.current = next
        } else {
          state.isStuck = true
        }
        return (mine, next)
      }
      guard let next else {
        // Nobody will ever come: leave the threads as they are.
        isOver.signal()
        DispatchSemaphore(value: 0).wait()
        return
      }
      hand(from: mine, to: next)
    }
  }

  /// Has those who wait look again.
  func wake() {
    state.withLock { state in
      for number in state.actors.indices where state.actors[number] == .waiting {
        state.actors[number] = .ready
      }
    }
  }

  private func hand(from mine: Int, to next: Int) {
    if mine == next { return }
    alarms[next].signal()
    alarms[mine].wait()
  }

  private func end() {
    let (next, isStuck) = state.withLock { state -> (Int?, Bool) in
      state.actors[state.current] = .ended
      let next = state.actors.indices.first { state.actors[$0] == .ready }
      if let next { state.current = next }
      if next == nil, state.actors.contains(.waiting) { state.isStuck = true }
      return (next, state.isStuck)
    }
    if let next { alarms[next].signal() } else { isOver.signal() }
    _ = isStuck
  }
}

extension Baton: Scheduling {
  /// On the caller's thread, which has the baton.
  func start(_ work: @escaping @Sendable () -> Void) { work() }
}
