import Foundation
import Testing

/// What a command says where it changed a store and could not print that.
@Suite struct ToldChangesTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  /// Whoever is told of a failure tries again: then the data would be there twice.
  @Test(arguments: [">/dev/full", ">&-", "| true"])
  func whatIsCommittedIsSaid(_ output: String) throws {
    try place.shell(
      "slab import a.npy s.slab/x --max-shape '?,4' --quiet; slab import a.npy d.slab/x --quiet")
    try place.shell("printf x > d.slab/x/c/0/0; echo no > s.slab/notes")
    for line in [
      "append b.npy s.slab/x", "import b.npy s.slab/y", "repair d.slab", "adopt s.slab --json",
      "adopt s.slab",
    ] {
      // A pipe is closed when nobody reads it any more.
      let answer = try place.shell(
        output == "| true"
          ? "{ sleep 0.1; slab \(line); echo $? >&2; } | true"
          : "slab \(line) \(output); echo $? >&2")
      #expect(answer.errors.hasSuffix("\n2\n"), "\(line): \(answer)")
      #expect(
        answer.errors.contains(
          "slab: standard output: cannot be written (") && answer.errors.contains("is committed"),
        "\(line): \(answer)")
    }
    let shapes = try place.shell(
      "slab info s.slab/x --json; slab read s.slab/x 12 --format csv; slab verify d.slab")
    #expect(shapes.output.contains("\"shape\": [13, 4]"), "\(shapes)")
    // What only reads may end as any other program does.
    let read = try place.shell("{ sleep 0.1; slab ls s.slab; echo $? >&2; } | true")
    #expect(read.errors == "141\n", "\(read)")
    // Where nothing can be told at all, what was done is done.
    #expect(try place.shell("slab rm s.slab/y >/dev/full 2>/dev/full").code == 0)
  }
}
