import Foundation
import Testing

/// What `--overwrite` keeps of what was said of the data set beside its data.
@Suite struct KeptMetadataTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    try place.write(Workplace.npy("|u1", [6, 4], Data(repeating: 3, count: 24)), to: "u.npy")
    try place.write(Workplace.npy("<f4", [12, 4], Data(count: 192)), to: "f.npy")
    try place.write(Workplace.npy("<i2", [10, 5], Data(count: 100)), to: "wide.npy")
    try place.shell(
      "slab import a.npy s.slab/x --max-shape '?,4' --fill-value -1 --quiet || exit 1")
  }

  private func info() throws -> [String: Any] {
    try json(Tool.run(["info", place.path("s.slab/x"), "--json"]).output)
  }

  @Test func whatFitsIsKept() throws {
    let answer = try place.shell("slab import f.npy s.slab/x --overwrite")
    #expect(
      answer.output.contains("kept of the old one: max shape, fill value (not with"), "\(answer)")
    #expect(!answer.output.contains("not kept"))
    let info = try info()
    #expect((info["max_shape"] as? [Any])?.first is NSNull)
    #expect(info["fill_value"] as? Double == -1)
    #expect(try place.shell("slab append f.npy s.slab/x --quiet").code == 0)
  }

  @Test func whatDoesNotFitIsTold() throws {
    let answer = try place.shell("slab import u.npy s.slab/x --overwrite")
    #expect(answer.code == 0)
    #expect(answer.output.contains("not kept: the fill value -1, which uint8 cannot hold"))
    #expect(answer.output.contains("kept of the old one: max shape"))
    #expect(try info()["fill_value"] as? Int == 0)
    try place.shell("slab import a.npy s.slab/x --overwrite --max-shape 20,4 --quiet")
    try place.write(Workplace.npy("<i2", [30, 4], Data(count: 240)), to: "long.npy")
    let long = try place.shell("slab import long.npy s.slab/x --overwrite")
    #expect(
      long.output.contains("not kept: the maximum shape 20,4, into which (30, 4) does not fit"),
      "\(long)")
    #expect(try info()["max_shape"] as? [Int] == [30, 4])
  }

  /// An axis that could not grow is as long as the new array.
  @Test func anAxisOfAnotherLength() throws {
    #expect(try place.shell("slab import wide.npy s.slab/x --overwrite --quiet").code == 0)
    let limits = try #require(info()["max_shape"] as? [Any])
    #expect(limits[0] is NSNull && limits[1] as? Int == 5)
  }

  @Test func whatIsGivenCounts() throws {
    let answer = try place.shell(
      "slab import a.npy s.slab/x --overwrite --max-shape 10,4 --fill-value 7")
    #expect(answer.code == 0 && !answer.output.contains("kept"), "\(answer)")
    #expect(try info()["fill_value"] as? Int == 7)
    #expect(try info()["max_shape"] as? [Int] == [10, 4])
    try place.shell("slab import a.npy s.slab/x --overwrite --drop-metadata --quiet")
    #expect(try info()["fill_value"] as? Int == 0)
  }

  /// Text nested beyond all bounds is refused where it comes in.
  @Test func attributesNestedTooDeep() throws {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      let text =
        String(repeating: open, count: 100_000) + "1" + String(repeating: close, count: 100_000)
      try place.write(Data(text.utf8), to: "deep.json")
      for line in [
        "slab attr set s.slab/x deep @deep.json",
        "slab import a.npy s.slab/y --attribute deep=@deep.json",
      ] {
        let answer = try place.shell(line)
        #expect(answer.code == 2, "\(answer)")
        #expect(answer.errors.contains("nested deeper than 64"), "\(answer.errors.prefix(300))")
      }
    }
    #expect(try place.shell("slab attr get s.slab/x").output.contains("deep") == false)
  }
}
