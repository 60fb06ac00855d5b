import Foundation
import Testing

/// Stores that went through git with `core.autocrlf`, which turns the line ends of what it takes for text.
@Suite struct LineEndTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    try place.shell(
      """
      slab import a.npy s.slab/g/a --max-shape '?,4' --chunk-shape 2,4 --attribute 'note="a\\nb"' --quiet
      slab append b.npy s.slab/g/a --quiet; slab attr set s.slab/g k 1
      slab read s.slab/g/a --format csv > values
      """)
  }

  /// Turns line ends as git does: of every file without a zero byte.
  private func turn(_ isTurned: (String) -> Bool = { _ in true }) throws -> [String] {
    let all = try #require(FileManager.default.enumerator(atPath: place.path("s.slab")))
    var turned: [String] = []
    for case let name as String in all where isTurned(name) {
      let file = place.url.appendingPathComponent("s.slab/\(name)")
      guard let data = try? Data(contentsOf: file), !data.contains(0), data.contains(10) else {
        continue
      }
      try Data(data.flatMap { $0 == 10 ? [13, 10] : [$0] }).write(to: file)
      turned.append(name)
    }
    return turned
  }

  @Test func repairTurnsThemBack() throws {
    let turned = try turn()
    #expect(turned.contains("slab.json") && turned.contains { $0.contains("/root-") }, "\(turned)")
    for line in ["verify s.slab", "info s.slab/g/a"] {
      let answer = try place.shell("slab \(line)")
      #expect(answer.code != 0)
      #expect(
        (answer.output + answer.errors).contains("line ends were changed to CR LF"), "\(answer)")
      #expect((answer.output + answer.errors).contains("core.autocrlf"), "\(answer)")
    }
    let repaired = try place.shell("slab repair s.slab")
    #expect(repaired.code == 0, "\(repaired)")
    #expect(repaired.output.hasPrefix("index    slab.json "), "\(repaired)")
    #expect(repaired.output.contains("line ends restored"), "\(repaired)")
    let sound = try place.shell(
      "slab verify s.slab && slab read s.slab/g/a --format csv | cmp - values && slab attr get s.slab/g/a note"
    )
    #expect(sound.code == 0 && sound.output.hasSuffix("\"a\\nb\"\n"), "\(sound)")
  }

  /// Tables have a checksum in the index that lists them, too.
  @Test func tablesAlone() throws {
    let turned = try turn { $0.hasPrefix("__slab/t/") }
    #expect(!turned.isEmpty)
    #expect(try place.shell("slab verify s.slab").code == 1)
    #expect(try place.shell("slab repair s.slab").output.contains("line ends restored"))
    let sound = try place.shell(
      "slab verify s.slab && slab read s.slab/g/a --format csv | cmp - values")
    #expect(sound.code == 0, "\(sound)")
  }

  /// What repair cannot do is not promised.
  @Test func nothingLeftToGoBy() throws {
    try place.shell(
      "for f in s.slab/slab.json s.slab/__slab/root-*; do echo '{}' > $f; done; rm -r s.slab/__slab/t"
    )
    let verified = try place.shell("slab verify s.slab")
    #expect(
      verified.code == 1 && verified.output.contains("Nothing that the store keeps is enough"),
      "\(verified)")
    #expect(try place.shell("slab repair s.slab").code == 2)
  }
}
