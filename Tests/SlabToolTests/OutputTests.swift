import Foundation
import Testing

/// What comes out: nothing that acts on a terminal, nothing lost without a word, nothing where it harms.
@Suite struct OutputTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  private static let acting =
    "\u{1B}]0;x\u{7}\u{9B}31m\u{7F}\u{202E}\u{2066}\u{61C}\u{200F}\u{2028}"

  private func expectHarmless(_ answer: Tool.Answer, _ what: String) {
    let kept: Set<Unicode.Scalar> = ["\n", "\t"]
    for scalar in (answer.output + answer.errors).unicodeScalars where !kept.contains(scalar) {
      let category = scalar.properties.generalCategory
      let acts =
        category == .control || category == .lineSeparator || category == .paragraphSeparator
        || scalar.properties.isBidiControl
      #expect(!acts, "\(what) lets U+\(String(scalar.value, radix: 16)) through")
    }
  }

  @Test func nothingActsOnTheTerminal() throws {
    // Names of nodes take no controls, but what turns text around.
    let address = place.path("s.slab/na\u{202E}me")
    let made = try Tool.run([
      "import", place.path("a.npy"), address, "--unit", Self.acting, "--dims", "t\(Self.acting),",
      "--attribute", "k\(Self.acting)=\"\\u001b[31m\\u202e\"",
    ])
    #expect(made.code == 0)
    expectHarmless(made, "import")
    let lines = [
      ["info", address], ["info", address, "--json"], ["ls", place.path("s.slab"), "-l"],
      ["ls", place.path("s.slab"), "--json"], ["attr", "get", address],
      ["attr", "get", address, "no\(Self.acting)"], ["read", address + Self.acting],
      ["verify", address], ["info", place.path("s.slab")], ["no\(Self.acting)"],
      ["read", address, "--no\(Self.acting)"], ["attr", "set", address, "k", Self.acting],
      ["import", place.path("a.npy"), address, "--resume", "--unit", "other\(Self.acting)"],
      ["plan", "--shape", Self.acting, "--dtype", "int8"], ["import", Self.acting, address + "2"],
    ]
    for line in lines { expectHarmless(try Tool.run(line), line[0]) }
    let info = try json(Tool.run(["info", address, "--json"]).output)
    #expect(info["unit"] as? String == Self.acting, "what is stored is not changed by showing it")
    #expect(try Tool.run(["info", address]).output.contains("\\u001b]0;x\\u0007\\u009b31m\\u007f"))
  }

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")),
    arguments: [
      "ls s.slab", "ls s.slab --json", "info s.slab/x", "info s.slab/x --json --chunks",
      "info s.slab/x --chunks", "read s.slab/x", "read s.slab/x --format csv",
      "read s.slab/x --format json", "read s.slab/x --format raw", "export s.slab/x -",
      "attr get s.slab/x", "verify s.slab", "verify s.slab --json", "repair s.slab",
      "plan --shape 3,4 --dtype int8", "plan --shape 3,4 --dtype int8 --json", "--help",
      "import --help", "--version", "import a.npy s.slab/y", "append b.npy s.slab/x",
      "read s.slab/x -o /dev/full", "export s.slab/x /dev/full",
    ])
  func aFullDiskIsAFailure(_ line: String) throws {
    #expect(try place.shell("slab import a.npy s.slab/x --max-shape '?,4' --quiet").code == 0)
    let answer = try place.shell("slab \(line) > /dev/full")
    #expect(answer.code == 2)
    #expect(answer.errors.contains("No space left on device"), "\(answer.errors)")
    #expect(answer.errors.split(separator: "\n").count == 1)
  }

  @Test func aClosedStreamIsAFailureAndAReaderThatLeavesIsNone() throws {
    try place.shell("slab import a.npy s.slab/x --quiet")
    #expect(try place.shell("slab ls s.slab >&-").code == 2)
    #expect(try place.shell("slab ls s.slab >&- 2>&- <&-").code == 2)
    // The first file opened must not get a standard stream's number, and the text with it.
    #expect(try place.shell("slab attr set s.slab/x k 1 >&- 2>&-").code == 0)
    #expect(try place.shell("slab verify s.slab").code == 0)
    let answer = try place.shell(
      "head -c 1000000 /dev/zero > big; slab import big s.slab/big --raw --dtype int8 --shape '?' "
        + "--quiet; slab read s.slab/big --format csv | head -1; echo ${PIPESTATUS[0]}")
    #expect(answer.output == "0\n141\n")
    #expect(answer.errors == "")
  }

  @Test func devicesAndPipesAreWrittenInto() throws {
    try place.shell("slab import a.npy s.slab/x --quiet; slab export s.slab/x x.npy")
    let answer = try place.shell(
      """
      mkfifo pipe; cat pipe > piped & slab export s.slab/x pipe || exit 3; wait
      test -p pipe && cmp piped x.npy || exit 4
      slab export s.slab/x /dev/null && test -c /dev/null || exit 5
      { echo first; slab read s.slab/x 0 --format csv -o /dev/stdout; echo last; } > mixed
      slab export s.slab/x /dev/fd/1 | cmp - x.npy || exit 6
      """)
    #expect(answer == Tool.Answer(output: "", errors: "", code: 0))
    #expect(
      String(decoding: try place.bytes("mixed"), as: UTF8.self) == "first\n0\n1\n2\n3\nlast\n")
    // Where nobody reads, the first interrupt ends it.
    let idle = try place.shell(
      """
      mkfifo idle; set -m; slab export s.slab/x idle & job=$!; sleep 0.5; kill -INT $job
      (sleep 30; kill -KILL $job) & wait $job; test $? = 130; code=$?; kill -KILL %2; exit $code
      """)
    #expect(idle.code == 0)
    // The one of the report, where it can be made.
    let device = try place.shell(
      "mknod null c 1 3 2>/dev/null || exit 9; slab export s.slab/x null && test -c null")
    #expect(device.code == 0 || device.code == 9)
  }

  @Test func aReplacedFileKeepsItsModeAndALinkStays() throws {
    let answer = try place.shell(
      """
      slab import a.npy s.slab/x --quiet; mkdir d; umask 027
      echo old > d/private; chmod 600 d/private; echo old > d/shared; chmod 664 d/shared
      ln -s d/shared link; ln -s "$PWD/d/new" dangling; ln -s link twice
      slab export s.slab/x d/private && slab read s.slab/x --format npy -o twice || exit 3
      slab export s.slab/x dangling && slab export s.slab/x fresh || exit 4
      test -L link -a -L twice -a -L dangling || exit 5
      for f in d/private d/shared d/new; do cmp $f fresh || exit 6; done
      ln -s loop loop; slab export s.slab/x loop
      """)
    #expect(answer.code == 2 && answer.errors.contains("loop: "), "\(answer)")
    #expect(try place.mode("d/private") == 0o600)
    #expect(try place.mode("d/shared") == 0o664)
    #expect(try place.mode("d/new") == 0o640)
    #expect(try place.mode("fresh") == 0o640)
    #expect(try place.names(in: "d") == ["new", "private", "shared"])
  }

  @Test func nothingIsWrittenIntoAStore() throws {
    try place.shell("slab import a.npy s.slab/g/x --quiet; ln -s s.slab/g inside; mkdir __slab out")
    for target in [
      "s.slab/x.npy", "s.slab/g/x/c/0/0", "s.slab/slab.json", "inside/y", "s.slab/__slab/y",
    ] {
      let answer = try place.shell("slab export s.slab/g/x \(target)")
      #expect(answer.code == 2)
      #expect(answer.errors.contains("into a store"), "\(answer.errors)")
      // The way out that it names is one.
      let way = try #require(answer.errors.split(separator: " ").last).dropLast()
      if !way.hasSuffix("slab.json") {
        try? FileManager.default.removeItem(atPath: place.path("__slab"))
        #expect(try place.shell("slab export s.slab/g/x \(way)").code == 0)
      }
    }
    #expect(try place.shell("slab verify s.slab").code == 0)
    for (target, why) in [("out", "Name a file in it"), ("no/x.npy", "mkdir -p no")] {
      let answer = try place.shell("slab export s.slab/g/x \(target)")
      #expect(answer.code == 2 && answer.errors.contains(why))
    }
  }

  @Test(arguments: ["INT", "TERM", "HUP"])
  func anInterruptLeavesNothing(_ name: String) throws {
    // Held up by a pipe that nobody reads: the temporary file beside it is there for sure.
    let answer = try place.shell(
      """
      head -c 30000000 /dev/zero > big
      slab import big s.slab/x --raw --dtype int8 --shape '?' --quiet || exit 3
      mkdir out; set -m; slab read s.slab/x --format csv -o out/x & job=$!
      for i in {1..500}; do test -n "$(ls -A out)" && break; sleep 0.01; done
      test -n "$(ls -A out)" || exit 4
      kill -\(name) $job; wait $job; echo $?; ls -A out
      """)
    let number = ["INT": 2, "TERM": 15, "HUP": 1][name] ?? 0
    #expect(answer.output == "\(128 + number)\n", "\(answer)")
    #expect(answer.errors.contains("was interrupted"))
  }

  @Test func aFailureLeavesNothing() throws {
    let answer = try place.shell(
      """
      slab import a.npy s.slab/x --chunk-shape 2,4 --quiet; rm s.slab/x/c/4/0; mkdir out
      slab export s.slab/x out/x.npy; echo $?; slab read s.slab/x --format csv -o out/x.csv; echo $?
      ls -A out
      """)
    #expect(answer.output == "2\n2\n")
  }
}
