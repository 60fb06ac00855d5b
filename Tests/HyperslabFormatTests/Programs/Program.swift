import HyperslabTestSupport

/// A program that works on a store. Steps name what they work on by numbers that always lead to
/// something, so that any of them can be left out.
struct Program: CustomStringConvertible {
  enum Step: CustomStringConvertible {
    case create(name: Int, seed: Int)
    case replace(pick: Int, seed: Int)
    case remove(pick: Int)
    case group(name: Int)
    case write(pick: Int, chunk: Int, seed: Int)
    /// A chunk of nothing but the fill value.
    case clear(pick: Int, chunk: Int)
    case resize(pick: Int, seed: Int)
    /// Grows along the first axis and writes what is new.
    case append(pick: Int, seed: Int)
    case attribute(pick: Int, value: Int)
    case commit
    /// Closes and opens again.
    case close
    /// Goes on as a new process would that finds what a killed one left.
    case kill
    /// The power fails, now or at some moment since it failed last.
    case crash(seed: Int)
    /// Another writer fills what nobody wrote, and commits.
    case other(pick: Int, seed: Int)

    var description: String {
      switch self {
      case .create(let name, let seed): "create(\(name), \(seed))"
      case .replace(let pick, let seed): "replace(\(pick), \(seed))"
      case .remove(let pick): "remove(\(pick))"
      case .group(let name): "group(\(name))"
      case .write(let pick, let chunk, let seed): "write(\(pick), \(chunk), \(seed))"
      case .clear(let pick, let chunk): "clear(\(pick), \(chunk))"
      case .resize(let pick, let seed): "resize(\(pick), \(seed))"
      case .append(let pick, let seed): "append(\(pick), \(seed))"
      case .attribute(let pick, let value): "attribute(\(pick), \(value))"
      case .commit: "commit"
      case .close: "close"
      case .kill: "kill"
      case .crash(let seed): "crash(\(seed))"
      case .other(let pick, let seed): "other(\(pick), \(seed))"
      }
    }
  }

  var steps: [Step]

  init(steps: [Step]) { self.steps = steps }

  init(length: Int, using generator: inout SeededGenerator) {
    steps = (0..<length).map { number in
      let pick = Int.random(in: 0..<100, using: &generator)
      let seed = Int.random(in: 0..<1_000_000, using: &generator)
      if number == 0 { return .create(name: pick, seed: seed) }
      switch Int.random(in: 0..<40, using: &generator) {
      case 0, 1: return .create(name: pick, seed: seed)
      case 2: return .replace(pick: pick, seed: seed)
      case 3: return .remove(pick: pick)
      case 4: return .group(name: pick)
      case 5...18: return .write(pick: pick, chunk: seed / 7, seed: seed)
      case 19, 20: return .clear(pick: pick, chunk: seed)
      case 21...23: return .resize(pick: pick, seed: seed)
      case 24, 25: return .append(pick: pick, seed: seed)
      case 26: return .attribute(pick: pick, value: seed)
      case 27...32: return .commit
      case 33: return .close
      case 34: return .kill
      case 35...37: return .crash(seed: seed)
      default: return .other(pick: pick, seed: seed)
      }
    }
  }

  var description: String { steps.map { ".\($0)" }.joined(separator: ", ") }

  /// A program as short as can be found that still fails.
  func shrunk(failing fails: (Program) -> Bool) -> Program {
    var best = self
    var size = best.steps.count / 2
    while size >= 1 {
      var start = 0
      while start < best.steps.count {
        var shorter = best
        shorter.steps.removeSubrange(start..<Swift.min(start + size, shorter.steps.count))
        if fails(shorter) { best = shorter } else { start += size }
      }
      size /= 2
    }
    return best
  }
}
