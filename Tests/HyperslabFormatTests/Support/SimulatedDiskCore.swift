import HyperslabCore
import Synchronization

@testable import HyperslabFormat

/// The disk behind any number of ``SimulatedDisk`` views: its present contents, what was done to it,
/// who holds which lock, and what is to fail.
final class SimulatedDiskCore: Sendable {
  struct State {
    var image: DiskImage
    var trace: DiskTrace
    var nextNumber: Int
    var locked: Set<Int> = []
    var openFiles = 0
    var calls: [DiskCall] = []
    var keepsCalls = false
    var callCount = 0
    /// Which call fails, by its number, and how.
    var fault: (@Sendable (Int, DiskCall) -> DiskFault?)?
    var didFail = false
    /// Whether two names can change places.
    var canExchange = true
    /// See ``FileSystem/mostSynchronizedApart``.
    var mostSynchronizedApart: Int?

    mutating func note(_ operation: DiskOperation) {
      image.carryOut(operation)
      trace.operations.append(operation)
    }
  }

  let state: Mutex<State>
  /// Whom to ask for the time while the store's lock is held by another actor; nobody where one thread
  /// plays all of them.
  let waiting = Mutex<(any Scheduling)?>(nil)
  /// What is to be done before each call.
  let beforeCall = Mutex<(@Sendable () -> Void)?>(nil)

  init(_ trace: DiskTrace, image: DiskImage) {
    let made = trace.operations.compactMap(\.made).max() ?? 0
    let used = Swift.max(image.directories.keys.max() ?? 0, image.files.keys.max() ?? 0, made)
    state = Mutex(State(image: image, trace: trace, nextNumber: used + 1))
  }

  /// From now on, calls fail for which `fault` says how; it sees their numbers, from 0.
  func fail(_ fault: (@Sendable (Int, DiskCall) -> DiskFault?)?) {
    state.withLock { state in
      state.fault = fault
      state.callCount = 0
      state.didFail = false
    }
  }

  /// Counts a call and lets it fail if its turn has come; the fault that the callee carries out.
  func call<R>(
    _ kind: DiskCall.Kind, _ path: StorePath,
    _ body: (inout State, DiskFault?) throws(HyperslabError) -> R
  ) throws(HyperslabError) -> R {
    beforeCall.withLock { $0 }?()
    let result = state.withLock { state -> Result<Sent<R>, HyperslabError> in
      do throws(HyperslabError) {
        let call = DiskCall(kind: kind, path: path)
        if state.keepsCalls { state.calls.append(call) }
        defer { state.callCount += 1 }
        var fault: DiskFault?
        if let planned = state.fault?(state.callCount, call), planned.canHit(kind) {
          state.didFail = true
          fault = planned
          if !Self.isCarriedOutByCallee(planned, kind) { throw planned.error(path) }
        }
        return .success(Sent(value: try body(&state, fault)))
      } catch { return .failure(error) }
    }
    return try result.get().value
  }

  private static func isCarriedOutByCallee(_ fault: DiskFault, _ kind: DiskCall.Kind) -> Bool {
    switch kind {
    case .write, .synchronize, .synchronizeAll, .close: true
    case .read: fault == .shortRead
    default: false
    }
  }

  private struct Sent<R>: @unchecked Sendable { let value: R }
}

extension SimulatedDiskCore.State {
  /// The number of what stands at a path.
  func number(_ path: StorePath) -> Int? {
    var number = DiskImage.root
    for component in path.components {
      guard let next = image.directories[number]?[component] else { return nil }
      number = next
    }
    return number
  }

  func directory(_ path: StorePath) throws(HyperslabError) -> Int {
    guard let number = number(path) else { throw Self.missing(path) }
    guard image.directories[number] != nil else {
      throw HyperslabError(.foreign, "not a directory", at: "\(path)")
    }
    return number
  }

  func file(_ path: StorePath) throws(HyperslabError) -> Int {
    guard let number = number(path) else { throw Self.missing(path) }
    guard image.files[number] != nil else {
      throw HyperslabError(.foreign, "not a regular file", at: "\(path)")
    }
    return number
  }

  func checkFree(_ path: StorePath) throws(HyperslabError) {
    if number(path) != nil { throw HyperslabError(.alreadyExists, "exists", at: "\(path)") }
  }

  static func missing(_ path: StorePath) -> HyperslabError {
    HyperslabError(.missing, "is not there", at: "\(path)")
  }

  /// Gives a new file or directory its name.
  mutating func make(_ kind: DiskOperation.Kind, _ path: StorePath) throws(HyperslabError) -> Int {
    let parent = try directory(path.parent)
    let number = nextNumber
    nextNumber += 1
    let entry = DiskImage.Entry(directory: parent, name: path.name, number: number)
    note(
      DiskOperation(
        kind: kind, path: path, made: number, change: .names([entry], durableWith: parent)))
    return number
  }

  mutating func remove(_ kind: DiskOperation.Kind, _ path: StorePath) throws(HyperslabError) {
    let parent = try directory(path.parent)
    let entry = DiskImage.Entry(directory: parent, name: path.name, number: nil)
    note(DiskOperation(kind: kind, path: path, change: .names([entry], durableWith: parent)))
  }
}
