import HyperslabCore

@testable import HyperslabFormat

extension CrashScript {
  /// A part of the script; each opens the store anew and leaves it to the next.
  struct Step: Sendable {
    let name: String
    let run: @Sendable (CrashScript) throws -> Void
  }

  /// Runs the whole script on a new disk.
  static func recorded(apart: Int? = nil, canExchange: Bool = true) throws -> CrashScript {
    let script = CrashScript(apart: apart, canExchange: canExchange)
    for step in steps { try step.run(script) }
    return script
  }

  static let steps: [Step] = [
    Step(name: "create a store") { script in
      try script.commit {
        // As `StoreCreation` does it on the local disk: whole under another name, then moved in.
        let temporary = "\(home).tmp"
        _ = try script.disk.makeDirectory(StorePath(temporary))
        try StoreCreation.fill(script.disk.at(temporary), durability: .full)
        try script.disk.rename(StorePath(temporary), to: StorePath(home))
        try script.disk.synchronizeDirectory(.root)
      }
    },
    Step(name: "create a data set, fresh chunks") { script in
      let store = try script.open()
      try script.create(store, "a", [20], chunks: [4])
      for chunk in 0..<3 { try script.put(store, "a", [chunk], Int32(10 * chunk + 1)) }
      try script.commit { try store.commit() }
      try script.commit { try store.close() }
    },
    Step(name: "groups, two axes") { script in
      let store = try script.open()
      try script.create(store, "g/b", [3, 5], chunks: [2, 3])
      try script.put(store, "g/b", [0, 0], 100)
      try script.put(store, "g/b", [1, 1], 200)
      try script.setAttribute(store, "probe", "NP1", of: "g")
      try script.commit { try store.commit() }
      try script.put(store, "g/b", [1, 0], 300)
      try script.commit { try store.close() }
    },
    Step(name: "overwrite, with a fresh chunk") { script in
      let store = try script.open()
      try script.put(store, "a", [0], 51)
      try script.put(store, "a", [2], 52)
      try script.put(store, "a", [3], 53)
      try script.put(store, "g/b", [1, 1], 210)
      try script.commit { try store.commit() }
      try script.put(store, "a", [2], 62)
      try script.commit { try store.commit() }
      try script.commit { try store.close() }
    },
    Step(name: "chunks written while a commit is made") { script in
      let store = try script.open()
      try script.put(store, "a", [0], 54)
      try script.put(store, "a", [3], 0)
      try script.put(store, "g/b", [0, 0], 110)
      try script.commit(store, putting: [[0], [1], [4], [3]], "a", 500)
      try script.commit { try store.commit() }
      try script.put(store, "a", [4], 72)
      try script.put(store, "a", [3], 73)
      try script.commit(store, putting: [[3], [2]], "a", 700)
      try script.commit { try store.close() }
    },
    Step(name: "directories of many chunks") { script in
      let store = try script.open()
      try script.create(store, "w", [4, 16], chunks: [2, 2])
      for column in 0..<8 { try script.put(store, "w", [0, column], Int32(600 + 4 * column)) }
      try script.commit { try store.commit() }
      for column in 0..<8 { try script.put(store, "w", [1, column], Int32(700 + 4 * column)) }
      try script.commit { try store.commit() }
      try script.commit { try store.close() }
    },
    Step(name: "fill-only chunks") { script in
      let store = try script.open()
      try script.put(store, "a", [1], 0)
      try script.put(store, "g/b", [0, 1], 0)
      try script.commit { try store.commit() }
      try script.put(store, "a", [1], 71)
      try script.commit { try store.close() }
    },
    Step(name: "attributes") { script in
      let store = try script.open()
      try script.setAttribute(store, "unit", "uV", of: "a")
      try script.setAttribute(store, "probe", nil, of: "g")
      try script.commit { try store.commit() }
      try script.setAttribute(store, "unit", "mV", of: "a")
      try script.commit { try store.close() }
    },
    Step(name: "a writer that dies with staged chunks") { script in
      let store = try script.open()
      try script.put(store, "a", [0], 81)
      try script.commit { try store.commit() }
      let standing = script.contents
      try script.put(store, "a", [1], 82)
      try script.put(store, "a", [4], 83)
      script.contents = standing
    },
    Step(name: "two writers") { script in
      let first = try script.open()
      let second = try script.open()
      try script.put(first, "a", [0], 91)
      try script.put(first, "a", [4], 92)
      let afterFirst = script.contents
      // Only what is committed belongs to the outcome of the first writer's commit.
      try script.put(second, "g/b", [0, 0], 110)
      try script.put(second, "g/b", [0, 1], 120)
      let afterSecond = script.contents
      script.contents = afterFirst
      try script.commit { try first.commit() }
      script.contents = afterSecond
      try script.commit { try second.commit() }
      try script.put(first, "a", [1], 93)
      try script.commit { try first.commit() }
      try script.put(second, "g/b", [0, 0], 130)
      try script.commit { try second.close() }
      try script.commit { try first.close() }
    },
    Step(name: "a writer that dies before its overwrites are placed, and another who commits on") {
      script in
      let first = try script.open()
      let second = try script.open()
      try script.put(first, "a", [0], 88)
      try script.put(first, "g/b", [0, 0], 140)
      script.disk.core.fail { _, call in
        call.kind == .rename && call.path.components.contains("c") ? .inputOutput : nil
      }
      try script.commit { try first.commit() }
      script.disk.core.fail(nil)
      try second.refresh()
      try script.put(second, "a", [2], 89)
      try script.commit { try second.commit() }
      try script.commit { try second.close() }
      try? first.close()
    },
    Step(name: "a conflict") { script in
      let first = try script.open()
      let second = try script.open()
      let before = script.contents
      try script.put(second, "a", [4], 98)
      try script.put(second, "g/b", [0, 0], 99)
      script.contents = before
      try script.put(first, "a", [4], 94)
      try script.commit { try first.commit() }
      do {
        try second.commit()
        throw CrashCheck.Failure(description: "the second writer of a chunk was let in")
      } catch let error as HyperslabError where error.code == .conflict {}
      try? second.close()
      try script.commit { try first.close() }
    },
    Step(name: "replace") { script in
      let store = try script.open()
      try script.replace(store, "g/b", [4], chunks: [2])
      try script.put(store, "g/b", [0], 400)
      try script.commit { try store.commit() }
      try script.put(store, "g/b", [1], 410)
      try script.commit { try store.close() }
    },
    Step(name: "replace by the same shape") { script in
      let store = try script.open()
      try script.replace(store, "g/b", [4], chunks: [2])
      try script.put(store, "g/b", [1], 420)
      try script.commit { try store.close() }
    },
    Step(name: "append") { script in
      let store = try script.open()
      try script.resize(store, "a", [26])
      try script.put(store, "a", [5], 151)
      try script.put(store, "a", [6], 161)
      try script.commit { try store.commit() }
      try script.resize(store, "a", [30])
      try script.put(store, "a", [6], 171)
      try script.put(store, "a", [7], 181)
      try script.commit { try store.close() }
    },
    Step(name: "shrink and grow again") { script in
      let store = try script.open()
      try script.resize(store, "a", [18])
      try script.commit { try store.commit() }
      try script.resize(store, "a", [22])
      try script.commit { try store.commit() }
      try script.put(store, "a", [5], 191)
      try script.commit { try store.close() }
    },
    Step(name: "two axes: shrink one, grow the other") { script in
      let store = try script.open()
      try script.create(store, "h/e", [5, 5], chunks: [2, 2])
      for row in 0..<3 {
        for column in 0..<3 {
          try script.put(store, "h/e", [row, column], Int32(10 * row + column))
        }
      }
      try script.commit { try store.commit() }
      try script.resize(store, "h/e", [3, 8])
      try script.put(store, "h/e", [0, 3], 77)
      try script.commit { try store.commit() }
      try script.commit { try store.close() }
    },
    Step(name: "delete a data set, then a group with all it holds") { script in
      let store = try script.open()
      try script.create(store, "h/f", [4], chunks: [4])
      try script.put(store, "h/f", [0], 60)
      try script.remove(store, "g/b")
      try script.commit { try store.commit() }
      try script.remove(store, "h")
      try script.commit { try store.close() }
    },
    Step(name: "delete and create again") { script in
      let store = try script.open()
      try script.create(store, "g/b", [4], chunks: [2])
      try script.put(store, "g/b", [1], 430)
      try script.commit { try store.commit() }
      try script.remove(store, "g")
      try script.create(store, "g/b", [5, 2], chunks: [2, 2])
      try script.put(store, "g/b", [1, 0], 440)
      try script.commit { try store.commit() }
      try script.commit { try store.close() }
    },
    Step(name: "a data set where a group stood, and a group where a data set stood") { script in
      let store = try script.open()
      try script.remove(store, "g")
      try script.create(store, "g", [6], chunks: [3])
      try script.put(store, "g", [0], 450)
      try script.put(store, "g", [1], 460)
      try script.remove(store, "w")
      try script.create(store, "w/v", [4], chunks: [2])
      try script.put(store, "w/v", [1], 470)
      try script.commit { try store.commit() }
      try script.remove(store, "g")
      try script.create(store, "g/b", [4], chunks: [2])
      try script.put(store, "g/b", [0], 480)
      try script.commit { try store.close() }
    },
    Step(name: "merge of runs") { script in
      let store = try script.open()
      for round in 0..<9 {
        try script.put(store, "a", [round % 5], Int32(500 + 10 * round))
        try script.commit { try store.commit() }
      }
      try script.commit { try store.close() }
    },
  ]
}
