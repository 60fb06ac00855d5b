/// A line of the processor's cache: narrower rows share it with those of other chunks.
package enum CacheLine {
  package static let byteCount = 64
}
