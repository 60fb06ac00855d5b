import Foundation
import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// What becomes of attributes that another program wrote as it knew them some time ago.
@Suite struct AdoptedAttributesTests {
  private let directory: TemporaryDirectory
  private let path: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("s.slab")
    let store = try SlabStore.create(at: path)
    try store.createGroup("g", attributes: ["old": 1])
    var described = row(chunks: 2)
    described.attributes = ["old": 1]
    described.unit = "mV"
    try store.createDataset("g/a", described).put(0, 1)
    try store.close()
  }

  /// Reads a node's document, commits one more attribute, and writes the document back with other attributes.
  private func rewrite(_ name: String, _ attributes: (inout JSONObject) -> Void) throws {
    let file = path.appending("\(name)/zarr.json")
    var document = try #require(try JSONParser.parse(try contents(file)).object)
    let store = try SlabStore.open(path, mode: .readWrite)
    try store.setAttribute("patient", "Smith", of: try NodePath(name))
    try store.close()
    var told = try #require(document["attributes"]?.object)
    attributes(&told)
    document["attributes"] = .object(told)
    try write(JSONValue.object(document).bytes(pretty: false), to: file)
  }

  private func attributes(_ name: String) throws -> JSONObject {
    switch try SlabStore.open(path).node(try NodePath(name)) {
    case .group(_, let attributes): attributes
    case .dataset(let info): info.description.attributes
    }
  }

  @Test(arguments: ["g", "g/a"])
  func whatIsLostIsNamedAndKept(name: String) throws {
    try rewrite(name) {
      $0["k"] = 1
      $0["old"] = 2
    }
    let report = try SlabStore.adopt(path)
    let item = try #require(report.taken.first)
    #expect(report.taken.count == 1 && report.left.isEmpty && item.path == name, "\(report)")
    let taken = try #require(item.attributes)
    #expect(taken.set == ["k"] && taken.changed == ["old"] && taken.removed == ["patient"])
    #expect(item.detail.contains(#"sets "k", changes "old", removes "patient""#), "\(item)")
    let kept = try #require(taken.kept)
    #expect(kept.hasPrefix("__slab/lost/") && item.detail.contains(kept))
    #expect(
      try JSONParser.parse(try contents(path.appending(kept))).object
        == ["old": 1, "patient": "Smith"])
    #expect(try attributes(name) == ["old": 2, "k": 1])
    let after = try SlabStore.verify(path)
    #expect(after.ok && after.zarrView == .same, "\(after)")
  }

  @Test func whatIsOnlyAddedNeedsNoKeeping() throws {
    try rewrite("g/a") {
      $0["patient"] = "Smith"
      $0["k"] = 1
    }
    let taken = try #require(try SlabStore.adopt(path).taken.first?.attributes)
    #expect(taken.set == ["k"] && taken.changed.isEmpty && taken.removed.isEmpty)
    #expect(taken.kept == nil)
    #expect(try !directory.files(in: path).contains { $0.hasPrefix("__slab/lost/") })
    #expect(try attributes("g/a") == ["old": 1, "patient": "Smith", "k": 1])
  }

  /// Where what is left has to make way for what is taken in, it is kept and named.
  @Test func theRootsThatIsLeftIsKept() throws {
    try rewrite("g/a") {
      $0["patient"] = "Smith"
      $0["k"] = 1
    }
    let file = path.appending("zarr.json")
    var document = try #require(try JSONParser.parse(try contents(file)).object)
    document["attributes"] = ["forty": .string("a" + String(repeating: "\u{301}", count: 40))]
    let bytes = JSONValue.object(document).bytes(pretty: false)
    try write(bytes, to: file)
    let report = try SlabStore.adopt(path)
    #expect(report.taken.map(\.path) == ["g/a"] && report.left.first?.path == "/", "\(report)")
    let lost = try #require(report.left.first { $0.path.hasPrefix("__slab/lost/") }).path
    #expect(try contents(path.appending(lost)) == bytes)
    #expect(try SlabStore.verify(path).ok)
  }

  /// What is no JSON, or too much of it, stands in the way; it is named, too.
  @Test(arguments: ["TOKEN", "[\"TOKEN\"]"])
  func whatIsNoMetadataIsNamed(text: String) throws {
    try write(Array(text.utf8), to: path.appending("g/zarr.json"))
    let report = try SlabStore.adopt(path)
    #expect(!report.left.isEmpty, "\(report)")
    let found = try directory.files(in: path).filter {
      $0.hasSuffix("zarr.json") && (try? contents(path.appending($0))) == Array(text.utf8)
    }
    #expect(found.count == 1 && report.left.contains { found == [$0.path] || $0.path == "g" })
  }

  /// Zarr tools delete chunks that hold nothing but the fill value, and arrays.
  @Test func chunksThatAreGoneAreNamed() throws {
    try remove(path.appending("g/a/c"))
    let report = try SlabStore.adopt(path)
    #expect(report.left.map(\.path) == ["g/a"] && report.taken.isEmpty, "\(report)")
  }

  /// More than an index may hold of one node keeps nothing else from being taken in.
  @Test func tooManyAreLeftWithTheReason() throws {
    try rewrite("g/a") {
      $0["patient"] = "Smith"
      $0["k"] = 1
    }
    let file = path.appending("g/zarr.json")
    var document = try #require(try JSONParser.parse(try contents(file)).object)
    document["attributes"] = ["long": .string(String(repeating: "x", count: 2 << 20))]
    let bytes = JSONValue.object(document).bytes(pretty: false)
    try write(bytes, to: file)
    let report = try SlabStore.adopt(path)
    #expect(report.taken.map(\.path) == ["g/a"] && report.left.map(\.path) == ["g"], "\(report)")
    #expect(try attributes("g/a")["k"] == 1)
    #expect(try contents(file) == bytes)
  }

  /// Zarr readers are told it among the attributes.
  @Test func theUnitIsNoAttributeToRemove() throws {
    try rewrite("g/a") {
      $0["patient"] = "Smith"
      $0["units"] = nil
    }
    let taken = try #require(try SlabStore.adopt(path).taken.first)
    #expect(taken.attributes?.removed == [] && taken.detail.contains("the unit stays"), "\(taken)")
    #expect(try SlabStore.verify(path).zarrView == .same)
  }
}
