/// Memory that several threads write, each its own part of it.
///
/// Sendable because whoever divides the work sees to it that no two threads write the same bytes, and
/// waits for all of them before the memory is anybody else's.
package struct DisjointMemory: @unchecked Sendable {
  package let base: UnsafeMutableRawPointer

  package init(base: UnsafeMutableRawPointer) { self.base = base }
}
