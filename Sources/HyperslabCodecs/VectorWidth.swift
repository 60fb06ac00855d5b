import CPlatform

/// The bytes of the vectors that filters may use beyond what every processor of the kind has.
///
/// Swift compiles for the baseline (16 bytes on x86-64); wider kernels are C and chosen at run time.
package enum VectorWidth {
  /// What this processor has: 64, 32, or 0 for the baseline.
  package static let best = hyperslab_vector_width()
  /// Every width that can be used here, for tests.
  static var all: [Int] { [0, 32, 64].filter { $0 <= best } }
}
