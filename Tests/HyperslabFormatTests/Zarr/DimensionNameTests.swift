import HyperslabCore
import HyperslabTestSupport
import Testing

@testable import HyperslabFormat

/// The names of axes that Zarr readers are told, by which xarray opens a group or gives it up.
@Suite struct DimensionNameTests {
  private func index(
    _ datasets: [(path: String, shape: [Int], dims: [String?]?)]
  ) throws -> StoreIndex {
    var index = StoreIndex(
      uuid: StoreLayout.newIdentifier(), commit: 1, time: "", writer: "", state: "complete",
      nodes: [.root: .group(attributes: [:], extensions: [:])])
    for (id, (path, shape, dims)) in datasets.enumerated() {
      let description = DatasetDescription(
        shape: Shape(shape), chunkShape: Shape(shape.map { max($0, 1) }), dataType: .int32,
        dimensionNames: dims)
      index.nodes[try NodePath(path)] = .dataset(
        DatasetRecord(
          id: id, description: description, grid: try description.validated(), filter: nil,
          blockByteCount: 65536, commit: 1))
    }
    return index
  }

  private func names(
    _ datasets: [(path: String, shape: [Int], dims: [String?]?)]
  ) throws -> [String: [String]] {
    let names = DimensionNames(of: try index(datasets))
    return Dictionary(
      uniqueKeysWithValues: try datasets.map { ($0.path, names[try NodePath($0.path)] ?? []) })
  }

  @Test func namesThatFitAreKept() throws {
    let told = try names([("a", [4, 2], ["t", "x"]), ("t", [4], ["t"]), ("g/a", [4], ["t"])])
    #expect(told == ["a": ["t", "x"], "t": ["t"], "g/a": ["t"]])
  }

  @Test func axesWithoutNamesGetTheirOwn() throws {
    let told = try names([("a", [4, 2], nil), ("b", [4, 3], ["t", nil]), ("a_0", [], nil)])
    #expect(told == ["a": ["a_0_", "a_1"], "b": ["t", "b_1"], "a_0": []])
  }

  @Test func aNameOfTwoLengthsIsToldWithThem() throws {
    let told = try names([
      ("a", [4], ["t"]), ("b", [5], ["t"]), ("e", [4], ["t"]), ("g/d", [9], ["x"]),
      ("g/e", [3, 9], ["t", "x"]),
    ])
    #expect(told["a"] == ["t_4"] && told["b"] == ["t_5"] && told["e"] == ["t_4"])
    #expect(told["g/d"] == ["x"])
  }

  @Test func aGroupAgreesWithThoseAbove() throws {
    let told = try names([("a", [4], ["t"]), ("g/b", [5], ["t"]), ("h/b", [4], ["t"])])
    #expect(told == ["a": ["t"], "g/b": ["t_5"], "h/b": ["t"]])
  }

  @Test func aVariableOfAnAxissNameIsItsCoordinates() throws {
    let told = try names([("a", [4], ["t"]), ("t", [], nil), ("x", [4, 4], ["x", "y"])])
    #expect(told == ["a": ["t_4"], "t": [], "x": ["x_4", "y"]])
  }

  /// The rules that xarray holds a group and those above it to, for random ones.
  @Test func everyGroupFollowsTheRules() throws {
    var generator = SeededGenerator("dimension names", 0)
    let words: [String?] = ["t", "x", "a_0", "t_2", "t_3", "", nil, "a", "b"]
    for _ in 0..<2000 {
      var datasets: [(path: String, shape: [Int], dims: [String?]?)] = []
      for path in ["a", "b", "t", "a_0", "g/a", "g/x", "g/h/t"]
      where generator.chance(1, in: 2) {
        let shape = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
          Int.random(in: 0...3, using: &generator)
        }
        var dims = shape.map { _ in words.randomElement(using: &generator) ?? nil }
        for axis in dims.indices where dims[..<axis].contains(dims[axis]) { dims[axis] = nil }
        datasets.append((path, shape, generator.chance(1, in: 3) ? nil : dims))
      }
      let told = try names(datasets)
      for group in ["", "g", "g/h"] {
        var lengths: [String: Int] = [:]
        let members = datasets.filter { dataset in
          let parent = dataset.path.split(separator: "/").dropLast().joined(separator: "/")
          return parent == "" || group == parent || group.hasPrefix(parent + "/")
        }
        for (path, shape, _) in members {
          let axes = try #require(told[path])
          try #require(axes.count == shape.count && Set(axes).count == axes.count, "\(told)")
          for (name, length) in zip(axes, shape) {
            try #require(!name.isEmpty && lengths[name] ?? length == length, "\(told)")
            lengths[name] = length
          }
        }
        for (path, shape, _) in members
        where path.split(separator: "/").count
          == (group == "" ? 1 : group.split(separator: "/").count + 1)
        {
          let name = String(path.split(separator: "/").last ?? "")
          let own = members.filter {
            $0.path.split(separator: "/").dropLast() == path.split(separator: "/").dropLast()
          }
          let isAxis = own.contains { told[$0.path]?.contains(name) ?? false }
          try #require(!isAxis || shape.count == 1, "\(name) in \(told)")
        }
      }
    }
  }

  @Test func fillValuesAreToldAsXarrayReadsThem() {
    #expect(ZarrAttributes.told(-999.0, of: .float32) == "AAAAAAA4j8A=")
    #expect(ZarrAttributes.told("NaN", of: .float64) == "AAAAAAAA+H8=")
    #expect(ZarrAttributes.told("AAAAAAAA+H8=", of: .float64) == "AAAAAAAA+H8=")
    #expect(ZarrAttributes.told("none", of: .float64) == nil)
    #expect(ZarrAttributes.told(5, of: .int16) == 5)
    #expect(ZarrAttributes.told("x", of: .int16) == nil)
    #expect(ZarrAttributes.told([0, 1], of: .complex64) == ["AAAAAAAAAAA=", "AAAAAAAA8D8="])
  }
}
