import Foundation
import Hyperslab
import HyperslabCore
import HyperslabTestSupport
import Testing

/// Small readers of text: JSON, names, addresses of stores, element types, fill values.
@Suite struct TextFuzzTests {
  @Test func documents() {
    let attributes: JSONValue = [
      "name": "é\u{1F600}\n\"\\/", "numbers": [0, -1, 1.5e-7, .unsigned(.max), .integer(.min)],
      "deep": [[[[["down"]]]]], "none": nil, "yes": true, "no": [:],
    ]
    let pieces = JSONSample(attributes)
    let sample = Array(attributes.text(pretty: true).utf8)
    let other = Array(#"\ud83d\ude00 \udc00 \u0000 1E+5 -0.0 nul tru [[{"" :,}}] ﻿"#.utf8)
    Fuzzer(target: "json", defaultCount: 8000).run { generator, input in
      switch Int.random(in: 0..<4, using: &generator) {
      case 0:
        var mutator = JSONMutator(pieces, using: &generator)
        input = Array(mutator.mutate().text().utf8)
      case 1: input = Mutator.text(sample, using: &generator)
      case 2:
        let depth = Int.random(in: 0...200, using: &generator)
        let piece = generator.chance(1, in: 2) ? "[" : "{\"a\":"
        input = Array(String(repeating: piece, count: depth).utf8) + sample
      default: input = Mutator.bytes(sample, other: other, using: &generator)
      }
      let value = try JSONParser.parse(
        input, roundsLargeIntegers: generator.chance(1, in: 2))
      for pretty in [false, true] {
        let again = try JSONParser.parse(value.text(pretty: pretty).utf8)
        try demand(again == value, "written and read again it is another value")
      }
    }
  }

  @Test func names() throws {
    let store = FileManager.default.temporaryDirectory
      .appendingPathComponent("fuzz-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
    try Data().write(to: store.appendingPathComponent("slab.json"))
    defer { try? FileManager.default.removeItem(at: store) }
    let other = Array(
      "../..//.\u{0}\\c/__slab/zarr.json/é e\u{301}/\u{338}\u{FEFF}\u{202E}CON".utf8)
    Fuzzer(target: "name", defaultCount: 1000).run { generator, input in
      let samples = [
        "ecephys/lfp", "a/b/c1/d", "/x/", "é/長い名前", String(repeating: "n", count: 250), "a",
      ]
      let text = Array((samples.randomElement(using: &generator) ?? "").utf8)
      input = Mutator.bytes(text, other: other, using: &generator)
      let name = String(decoding: input, as: UTF8.self)
      // Debug builds of FilePath check themselves so often that long paths take a second.
      let isShort = input.count < 48
      for form in isShort ? [name, "\(store.path)/\(name)"] : [] {
        _ = try? StoreAddress(existing: form)
        _ = try? StoreAddress(creating: form)
        _ = try? StoreAddress(damaged: form)
      }
      let path = try NodePath(name)
      try demand(try NodePath("\(path)") == path, "\(path) read again is another")
      try demand(path.ancestors.allSatisfy { path.isDescendant(of: $0) }, "ancestors of \(path)")
      for component in path.components {
        try demand(
          component.utf8.count < 256 && !component.utf8.contains(UInt8(ascii: "/"))
            && !component.utf8.contains(0) && component != "..", "the name \(component)")
      }
      if !isShort { return }
      let address = try StoreAddress(existing: "\(store.path)/\(path)")
      try demand(address.node == path, "\(path) is found as \(address.node)")
    }
  }

  @Test func typesAndFillValues() {
    Fuzzer(target: "type", defaultCount: 8000).run { generator, input in
      let dataType = DataType.allCases.randomElement(using: &generator) ?? .int8
      let name = NumPyType(dataType, byteOrder: .big).descriptor
      let text = generator.chance(1, in: 2) ? name : dataType.rawValue
      input = Array(text.utf8)
      if generator.chance(1, in: 2) {
        input = Mutator.bytes(
          input, other: Array("<U5 |O8 float128 ＞i4".utf8), using: &generator)
      }
      let type = try NumPyType(String(decoding: input, as: UTF8.self))
      try demand(try NumPyType(type.descriptor) == type, "\(type.descriptor) is another type")
      let fill = try FillValue(
        bytes: ElementPattern.bytes(count: 1, of: type.dataType, using: &generator),
        dataType: type.dataType)
      var json = fill.json
      try demand(
        try FillValue(json: json, dataType: type.dataType) == fill, "\(json.text()) is another")
      var mutator = JSONMutator(JSONSample(json), using: &generator)
      json = mutator.mutate()
      let second = try FillValue(json: json, dataType: type.dataType)
      try demand(
        try FillValue(json: second.json, dataType: type.dataType) == second,
        "\(json.text()) is read again as another")
    }
  }

  @Test func keptTexts() throws {
    for target in ["json", "name", "type"] {
      let inputs = try Corpus.inputs(target)
      #expect(!inputs.isEmpty)
      for (name, bytes) in inputs {
        let text = String(decoding: bytes, as: UTF8.self)
        let accepted: Bool
        switch target {
        case "json": accepted = (try? JSONParser.parse(bytes, roundsLargeIntegers: true)) != nil
        case "name": accepted = (try? NodePath(text)) != nil
        default: accepted = (try? NumPyType(text)) != nil
        }
        if name.hasPrefix("value") { #expect(accepted, "\(target) \(name)") }
        if name.hasPrefix("invalid_name") { #expect(!accepted, "\(target) \(name)") }
      }
    }
  }
}
