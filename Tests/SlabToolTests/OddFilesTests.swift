import Foundation
import Testing

/// Files that never end, or are none, where the tool takes the name of one.
@Suite struct OddFilesTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    try place.shell("slab import a.npy s.slab/x --quiet; mkdir d; mkfifo f")
  }

  @Test(arguments: [
    "plan --batch d", "plan --batch f", "plan --batch /dev/zero", "attr set s.slab k @d",
    "attr set s.slab k @f", "attr set s.slab k @/dev/zero",
    "import a.npy s.slab/y --attribute k=@f",
  ])
  func onlyRegularFilesAreRead(command: String) throws {
    // As long as that nobody waits for what never comes.
    let answer = try place.shell("timeout 60 slab \(command)")
    #expect(answer.code == 2 && answer.errors.contains("not a regular file"), "\(answer)")
    let name = try #require(command.split { " @=".contains($0) }.last)
    #expect(answer.errors.contains("\(name):"), "\(answer.errors)")
    #expect(!place.exists("s.slab/y"))
  }

  @Test func aFileWithoutAName() throws {
    let answer = try place.shell("slab attr set s.slab k @")
    #expect(answer.code == 2 && answer.errors.contains("\"k\" is @ without the name"), "\(answer)")
  }

  @Test func aLineWithoutAnEnd() throws {
    let answer = try place.shell("head -c 40000000 /dev/zero | slab plan --batch -")
    #expect(
      answer.code == 2 && answer.errors.contains("standard input: a line of more"), "\(answer)")
  }

  @Test func whatRepairIsCalledIsSaidOnce() throws {
    try place.shell("cp s.slab/slab.json old; slab attr set s.slab k 1; cp old s.slab/slab.json")
    let answer = try place.shell("slab attr set s.slab k 2")
    #expect(answer.code == 2 && answer.errors.contains("slab repair"), "\(answer)")
    #expect(!answer.errors.contains("slab repair (slab repair)"), "\(answer.errors)")
  }
}
