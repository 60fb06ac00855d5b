import Hyperslab
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Turns the first interrupt (^C), hang-up or termination into a cancellation, so that nothing half done
/// stays; the second one of a kind ends the process.
enum Interrupt {
  private static let signals = [SIGINT, SIGTERM, SIGHUP]
  private static let caught = Atomic<Int32>(0)

  /// What is cancelled: there is one command a process.
  static let cancellation = Cancellation()

  /// Runs something that can be cancelled.
  static func cancelling<R>(_ body: (Cancellation) throws -> R) rethrows -> R {
    // Made now: a handler must not be the first to ask for them.
    let cancellation = cancellation
    _ = caught.load(ordering: .relaxed)
    let old = signals.map { number -> sigaction in
      var action = sigaction()
      unsafe sigaction(number, nil, &action)
      // What was to be ignored, as below nohup or in a shell's background, still is.
      if !isIgnored(action) { _ = catching(number) }
      return action
    }
    defer {
      for (number, action) in zip(signals, old) where !isIgnored(action) {
        var action = action
        unsafe sigaction(number, &action, nil)
      }
    }
    return try body(cancellation)
  }

  /// Ends the process as the signal that was caught would have, if there was one: whoever started it
  /// must be able to tell.
  static func endIfCaught() {
    let number = caught.load(ordering: .relaxed)
    if number != 0 { end(by: number) }
  }

  /// Ends the process by a signal.
  static func end(by number: Int32) {
    signal(number, SIG_DFL)
    raise(number)
  }

  private static func catching(_ number: Int32) -> Bool {
    var action = sigaction()
    let handler: @convention(c) (Int32) -> Void = { number in
      Interrupt.caught.store(number, ordering: .relaxed)
      Interrupt.cancellation.cancel()
    }
    #if canImport(Darwin)
      unsafe action.__sigaction_u.__sa_handler = handler
    #elseif canImport(Glibc)
      unsafe action.__sigaction_handler.sa_handler = handler
    #else
      unsafe action.__sa_handler.sa_handler = handler
    #endif
    action.sa_flags = Int32(SA_RESTART) | Int32(truncatingIfNeeded: SA_RESETHAND)
    return unsafe sigaction(number, &action, nil) == 0
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    #if canImport(Darwin)
      let handler = unsafe action.__sigaction_u.__sa_handler
    #elseif canImport(Glibc)
      let handler = unsafe action.__sigaction_handler.sa_handler
    #else
      let handler = unsafe action.__sa_handler.sa_handler
    #endif
    return unsafe unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
