import Hyperslab

/// The generator "SplitMix64", so that `peers.py` reads exactly the same boxes.
struct SplitMix64 {
  private var state: UInt64 = 1

  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  /// A number below a bound.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// What each partial read selects of an array of a shape.
enum Boxes {
  /// Boxes of 64 an axis; of four axes and more, one position on the first and 32 on the others.
  static func slice(_ shape: Shape, _ random: inout SplitMix64) -> [any AxisSelection] {
    shape.indices.map { axis in
      let wanted = shape.rank < 4 ? 64 : axis == 0 ? 1 : 32
      let edge = Swift.min(wanted, shape[axis])
      let start = random.below(shape[axis] - edge + 1)
      return start..<start + edge
    }
  }

  /// Whole axes where asked for, one random position on each other.
  static func whole(
    _ shape: Shape, _ random: inout SplitMix64, where isWhole: (Int) -> Bool
  ) -> [any AxisSelection] {
    shape.indices.map { axis -> any AxisSelection in
      let position = random.below(shape[axis])
      return isWhole(axis) ? AxisSlice.all : position..<position + 1
    }
  }

  /// Every seventh element along every axis, from a random one of the first seven on.
  static func strided(_ shape: Shape, _ random: inout SplitMix64) -> [any AxisSelection] {
    shape.indices.map { axis in
      AxisSlice.range(start: random.below(Swift.min(7, shape[axis])), stop: nil, step: 7)
    }
  }
}
