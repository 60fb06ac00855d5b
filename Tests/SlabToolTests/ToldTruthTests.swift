import Foundation
import Testing

/// Messages that are acted on as they stand.
@Suite struct ToldTruthTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  /// Replacing by nothing is not having nothing to do.
  @Test func anEmptyReplacementIsTold() throws {
    try place.write(Workplace.npy("|b1", [0], Data()), to: "empty.npy")
    try place.shell("slab import a.npy s.slab/x --max-shape '?,4' --fill-value 5 --quiet || exit 1")
    let answer = try place.shell("slab import empty.npy s.slab/x --overwrite")
    #expect(answer.code == 0 && answer.output.contains("(0,) bool"), "\(answer)")
    #expect(answer.output.contains("not kept: the fill value 5"), "\(answer)")
  }

  /// A remedy that is typed as it stands must not replace the user's own file.
  @Test func theWayOutOfAppendTakesAFreeName() throws {
    try place.shell(
      "slab import a.npy s.slab/x --quiet || exit 1; cp b.npy copy.npy; ln -s no copy-2.npy")
    let answer = try place.shell("slab append copy.npy s.slab/x")
    #expect(answer.code == 2 && answer.errors.contains("copy-3.npy && slab import copy-3.npy"))
    let remedy = try #require(answer.errors.firstRange(of: "slab export"))
    let command = answer.errors[remedy.lowerBound...].split(separator: "\n")[0]
    let typed = try place.shell("\(command) && slab append copy.npy s.slab/x --quiet")
    #expect(typed.code == 0, "\(typed)")
    #expect(try place.bytes("copy.npy") == place.bytes("b.npy"))
  }

  /// No boolean is 255, whatever the reader makes of it.
  @Test func bytesThatAreNoBooleansAreRefused() throws {
    try place.write(Data([0, 1, 255, 1]), to: "m.bin")
    let answer = try place.shell("slab import m.bin s.slab/m --raw --dtype bool --shape 4")
    #expect(answer.code == 2 && answer.errors.contains("a bool whose byte is 255"), "\(answer)")
    #expect(try place.shell("slab import m.bin s.slab/m --raw --dtype uint8 --shape 4").code == 0)
  }

  /// Files whose length the system does not tell are not empty.
  @Test func aFileOfUntoldLengthIsRefused() throws {
    guard FileManager.default.isReadableFile(atPath: "/proc/version") else { return }
    let answer = try place.shell(
      "slab import /proc/version s.slab/v --raw --dtype uint8 --shape '?'")
    #expect(answer.code == 2 && answer.errors.contains("Pipe it in"), "\(answer)")
    let piped = try place.shell(
      "slab import - s.slab/v --raw --dtype uint8 --shape '?' --quiet < <(cat /proc/version)")
    #expect(piped.code == 0, "\(piped)")
    #expect(
      try place.shell("slab import /dev/null s.slab/e --raw --dtype uint8 --shape '?'").code == 2)
  }
}
