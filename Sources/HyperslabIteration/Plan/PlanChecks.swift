import HyperslabCore

/// What a plan refuses; each refusal names the axis, the numbers and the way out.
struct PlanChecks {
  let shape: Shape
  let elementByteCount: Int

  func requireOne(
    of size: Double?, _ shape: Shape?, _ code: HyperslabError.Code, _ what: String
  ) throws(HyperslabError) {
    if let size, let shape {
      throw HyperslabError(
        code, what, expected: "one of them", found: "\(size) and \(shape)",
        remedy: "Leave one of them out")
    }
  }

  func requireArray(chunkShape: Shape?, bufferShape: Shape?) throws(HyperslabError) {
    for (axis, length) in shape.enumerated() where length < 0 {
      throw HyperslabError(
        .invalidShape, "axis \(axis) of the array shape \(shape)",
        expected: "a length of at least 0", found: "\(length)")
    }
    for (name, other) in [("chunk", chunkShape), ("buffer", bufferShape)] {
      guard let other, other.rank != shape.rank else { continue }
      throw HyperslabError(
        .invalidShape, "the \(name) shape \(other) for the array shape \(shape)",
        expected: "\(shape.rank) axes", found: "\(other.rank)",
        remedy: "Give one \(name) length an axis")
    }
  }

  /// Refuses limits of growth that the array does not fit into.
  func requireRoom(_ limits: [Int?]) throws(HyperslabError) {
    guard limits.count == shape.rank else {
      throw HyperslabError(
        .invalidShape, "a maximum shape of \(limits.count) axes for the array shape \(shape)",
        expected: "\(shape.rank) axes",
        remedy: "Give one limit an axis, the present length where it does not grow")
    }
    for axis in shape.indices {
      guard let limit = limits[axis], limit < shape[axis] else { continue }
      throw HyperslabError(
        .invalidShape, "axis \(axis) of the maximum shape for the array shape \(shape)",
        expected: "at least \(shape[axis]), or none", found: "\(limit)",
        remedy: "Raise the limit")
    }
  }

  /// A chunk may be longer than the present array where that may grow so far.
  func requireChunk(_ chunk: Shape, within limits: [Int?]) throws(HyperslabError) {
    for axis in shape.indices {
      guard let limit = limits[axis], limit > shape[axis], chunk[axis] > limit else { continue }
      throw HyperslabError(
        .chunkExceedsData,
        "axis \(axis) of the chunk shape \(chunk) exceeds what the array shape \(shape) may grow to",
        expected: "at most \(limit)", found: "\(chunk[axis])",
        remedy: "Shorten that axis of the chunk shape, or let the array grow further")
    }
  }

  /// HDMF's checks in HDMF's order, each over all axes, with an axis of length 0 counted as 1.
  func requireFit(chunkShape chunk: Shape, bufferShape buffer: Shape) throws(HyperslabError) {
    let data = Shape(shape.map { Swift.max($0, 1) })
    for (axis, length) in buffer.enumerated() where length < 1 {
      throw HyperslabError(
        .nonpositiveBuffer, "axis \(axis) of the buffer shape \(buffer)",
        expected: "a length of at least 1", found: "\(length)",
        remedy: "Give every axis a positive buffer length")
    }
    try requireAtMost(
      chunk, "chunk shape", data, "array shape", shape, .chunkExceedsData)
    try requireAtMost(
      buffer, "buffer shape", data, "array shape", shape, .bufferExceedsData)
    try requireAtMost(
      chunk, "chunk shape", buffer, "buffer shape", buffer, .chunkExceedsBuffer)
    for axis in data.indices where buffer[axis] != data[axis] {
      // HDMF divides here without having looked at the sign; a zero is the first thing to go wrong.
      if chunk[axis] == 0 { break }
      if buffer[axis] % chunk[axis] != 0 {
        throw HyperslabError(
          .chunkNotDividingBuffer, "axis \(axis) of the buffer shape \(buffer)",
          expected: "whole chunks of \(chunk[axis]) (chunk shape \(chunk)), or the whole axis of "
            + "\(shape[axis])", found: "\(buffer[axis])",
          remedy: "Make it a multiple of the chunk's length")
      }
    }
    try BufferShapeRule.requirePositive(chunk, elementByteCount: elementByteCount)
  }

  private func requireAtMost(
    _ small: Shape, _ smallName: String, _ large: Shape, _ largeName: String, _ shown: Shape,
    _ code: HyperslabError.Code
  ) throws(HyperslabError) {
    for axis in small.indices where small[axis] > large[axis] {
      throw HyperslabError(
        code, "axis \(axis) of the \(smallName) \(small) exceeds the \(largeName) \(shown)",
        expected: "at most \(large[axis])", found: "\(small[axis])",
        remedy: "Shorten that axis of the \(smallName)")
    }
  }
}
