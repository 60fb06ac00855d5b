/// One step on a chunk's way, alone, over memory that stays the same: what can be timed, and whose
/// instructions can be counted.
public struct Stage: Sendable {
  /// What it is called: `encode/bitshuffle/2`.
  public let name: String
  /// Decoded bytes that one iteration handles.
  public let byteCount: Int
  private let make: @Sendable () throws -> () -> Void

  /// A stage whose preparations are made anew for each ``body()``.
  init(
    _ name: String, byteCount: Int = Samples.byteCount,
    _ make: @escaping @Sendable () throws -> () -> Void
  ) {
    self.name = name
    self.byteCount = byteCount
    self.make = make
  }

  /// Prepares the stage; what is returned runs one iteration.
  public func body() throws -> () -> Void { try make() }

  /// All stages there are.
  public static var all: [Stage] {
    copies + statistics + shuffles + checksums + lz4 + frames + index
  }
}

/// Takes a result, so that the compiler does not find it unused and leave its making out.
@inline(never)
@_optimize(none)
func keep<T>(_ value: T) {}

/// A step that was tried while preparing cannot fail later.
func mustSucceed<R>(_ body: () throws -> R) -> R {
  do { return try body() } catch { fatalError("\(error)") }
}
