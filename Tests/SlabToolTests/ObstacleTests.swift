import Foundation
import Testing

/// What is not the store's, where the store needs the name.
@Suite struct ObstacleTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    try place.shell(
      "slab import a.npy s.slab/g/a --max-shape '?,4' --chunk-shape 1,4 --quiet")
  }

  @Test(arguments: [
    ("echo mine > s.slab/g/a/c/10", "s.slab/g/a/c/10", "a file"),
    ("mkfifo s.slab/g/a/c/10", "s.slab/g/a/c/10", "neither a file nor a directory"),
    ("ln -s /nowhere s.slab/g/a/c/10", "s.slab/g/a/c/10", "neither a file nor a directory"),
  ])
  func inTheWayOfAChunk(_ make: String, _ obstacle: String, _ found: String) throws {
    try place.shell(make)
    let answer = try place.shell("slab append b.npy s.slab/g/a")
    #expect(answer.code == 2, "\(answer)")
    expectNamed(answer, obstacle, found)
    try place.shell("rm -r \(obstacle)")
    #expect(try place.shell("slab repair s.slab >/dev/null; slab verify s.slab").code == 0)
  }

  @Test func inTheWayOfANode() throws {
    try place.shell("echo mine > s.slab/g/b")
    let answer = try place.shell("slab import b.npy s.slab/g/b")
    #expect(answer.code == 2 || answer.errors.contains("is committed"), "\(answer)")
    expectNamed(answer, "s.slab/g/b", "a file")
    #expect(String(decoding: try place.bytes("s.slab/g/b"), as: UTF8.self) == "mine\n")
  }

  private func expectNamed(_ answer: Tool.Answer, _ obstacle: String, _ found: String) {
    let errors = answer.errors
    #expect(
      errors.contains("\(obstacle): something is in the way that is not the store's"), "\(errors)")
    #expect(errors.contains("found \(found)") && errors.contains("Move it elsewhere"), "\(errors)")
  }

  /// A data set that somebody moved to another disk and left a link to.
  @Test(arguments: [
    "append b.npy s.slab/g/a", "import b.npy s.slab/g/a --overwrite", "verify s.slab/g/a",
    "rm s.slab/g/a",
    "read s.slab/g/a", "attr set s.slab/g/a k 1", "export s.slab/g/a o.npy", "verify s.slab",
  ])
  func aNodeThatIsALink(_ line: String) throws {
    try place.shell("mkdir other; mv s.slab/g/a other/a; ln -s ../../other/a s.slab/g/a")
    let answer = try place.shell("slab \(line)")
    #expect(answer.code != 0, "\(answer)")
    let text = answer.output + answer.errors
    #expect(text.contains("a symbolic link, or behind one"), "\(text)")
    #expect(!text.contains("is a store"), "\(text)")
    #expect(place.exists("other/a/zarr.json"))
  }
}
