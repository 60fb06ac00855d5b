import Foundation
import Testing

/// What goes in, as people type it.
@Suite struct InputTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  @Test func theVersionIsTold() throws {
    let answer = try Tool.run("--version")
    #expect(answer.code == 0 && answer.output.hasPrefix("slab ") && answer.errors == "")
  }

  @Test(arguments: [
    ("-5", "-5"), ("-0.5", "-0.5"), ("-1e3", "-1000.0"), ("[-1, 2]", "[-1, 2]"), ("0", "0"),
    ("18446744073709551615", "18446744073709551615"), ("\"text\"", "\"text\""), ("null", "null"),
    ("\"1e400\"", "\"1e400\""),
  ])
  func valuesAreTypedAsTheyAre(_ typed: String, _ stored: String) throws {
    try place.shell("slab import a.npy s.slab/x --quiet")
    let address = place.path("s.slab/x")
    #expect(try Tool.run(["attr", "set", address, "k", typed]).code == 0)
    #expect(try Tool.run(["attr", "get", address, "k"]).output == stored + "\n")
  }

  @Test(arguments: [
    ("1e400", "does not fit into a double"), ("-1e400", "does not fit into a double"),
    ("18446744073709551616", "does not fit into 64 bits"), ("NaN", "JSON has no NaN"),
    ("-inf", "JSON has no NaN"), ("-Infinity", "JSON has no NaN"),
    ("text", "needs quotes of its own"),
    ("True", "true, false and null"), ("@nowhere", "No such file"),
  ])
  func refusalsOfValuesSayWhy(_ typed: String, _ why: String) throws {
    try place.shell("slab import a.npy s.slab/x --quiet")
    let answer = try Tool.run(["attr", "set", place.path("s.slab/x"), "k", typed])
    #expect(answer.code == 2)
    #expect(answer.errors.contains(why), "\(answer.errors)")
    // Where it names a way to type it, that is taken.
    let words = answer.errors.split(separator: "'")
    if words.count > 1, words[1].hasPrefix("\"") {
      #expect(
        try Tool.run(["attr", "set", place.path("s.slab/x"), "k", String(words[1])]).code == 0)
    }
  }

  @Test func largeValuesComeFromFilesAndStreams() throws {
    let text = "[" + (0..<30_000).map { "\($0 % 1000)" }.joined(separator: ", ") + "]"
    try place.write(Data((text + "\n").utf8), to: "big.json")
    let answer = try place.shell(
      """
      slab import a.npy s.slab/x --attribute first=@big.json --quiet || exit 3
      slab attr set s.slab/x second @big.json || exit 4
      cat big.json | slab attr set s.slab/x third - || exit 5
      for k in first second third; do slab attr get s.slab/x $k | cmp - big.json || exit 6; done
      head -c 20000000 /dev/zero | slab attr set s.slab/x k -
      """)
    #expect(
      answer.code == 2 && answer.errors.contains("Keep large values in a data set"), "\(answer)")
  }

  @Test(arguments: [
    ("bool", "1", "true"), ("bool", "False", "false"), ("int8", "-1", "-1"),
    ("uint16", "0xff", "255"),
    ("float32", "nan", "NaN"), ("float64", "-inf", "-Infinity"), ("float16", "-0.0", "-0.0"),
    ("float32", "0x7fc00001", "0x7fc00001"), ("complex64", "0", "[0.0, 0.0]"),
    ("complex64", "1+2j", "[1.0, 2.0]"), ("complex128", "nan", "[\"NaN\", 0.0]"),
    ("complex64", "-1-2.5j", "[-1.0, -2.5]"), ("complex64", "0x3f80000040000000", "[1.0, 2.0]"),
  ])
  func fillValuesAreTypedAsTheyAre(_ type: String, _ typed: String, _ shown: String) throws {
    try place.write(Data(), to: "none.bin")
    let address = place.path("s.slab/x")
    let made = try Tool.run([
      "import", place.path("none.bin"), address, "--raw", "--dtype", type, "--shape", "0",
      "--fill-value", typed, "--quiet",
    ])
    #expect(made == Tool.Answer(output: "", errors: "", code: 0))
    #expect(try Tool.run(["info", address]).output.contains("fill value  "))
    let info = try Tool.run(["info", address]).output.split(separator: "\n")
    let line = try #require(info.first { $0.hasPrefix("fill value") })
    #expect(
      line.dropFirst(10).filter { $0 != "\"" }.trimmingCharacters(in: .whitespaces)
        == shown.filter { $0 != "\"" })
  }

  @Test func everyKindOfInputMayGrowAlongEveryAxis() throws {
    let answer = try place.shell(
      """
      tail -c 80 a.npy > a.bin
      slab import a.npy s.slab/npy --max-shape '?,4' --quiet || exit 3
      slab import a.bin s.slab/raw --raw --dtype int16 --shape 10,4 --max-shape '?,4' --quiet || exit 4
      cat a.bin | slab import - s.slab/stream --dtype int16 --shape '?,4' --max-shape '20,4' --quiet || exit 5
      cat a.npy | slab import - s.slab/npystream --max-shape '?,?' --quiet || exit 6
      for d in npy raw stream npystream; do slab append b.npy s.slab/$d --quiet || exit 7; done
      head -c 20 a.bin > c.bin
      slab append c.bin s.slab/npystream --raw --dtype int16 --shape 13,1 --axis 1 --quiet; test $? = 2 || exit 8
      head -c 26 a.bin > c.bin
      slab append c.bin s.slab/npystream --raw --dtype int16 --shape 13,1 --axis -1 --quiet || exit 9
      slab append a.npy s.slab/stream; echo $?; slab read s.slab/npystream 12
      """)
    #expect(answer.code == 0, "\(answer)")
    #expect(answer.output == "2\n[264 265 266 267  12]\n")
    #expect(answer.errors.contains("at most 20 in all"))
  }

  @Test func theWayOutOfAFullDataSetIsOne() throws {
    try place.shell("slab import a.npy s.slab/x --unit mV --quiet")
    let answer = try place.shell("slab append b.npy s.slab/x")
    #expect(answer.code == 2)
    let way = try #require(answer.errors.split(separator: ": ").last)
    #expect(way.hasPrefix("slab export s.slab/x copy.npy && slab import"))
    let done = try place.shell(
      "\(way.trimmingCharacters(in: .newlines)) --quiet && slab append b.npy s.slab/x")
    #expect(done.code == 0 && done.output.contains("now (13, 4) int16"), "\(done)")
    #expect(try place.shell("slab info s.slab/x").output.contains("mV"))
  }

  @Test func tenRowsThatGrowMakeSensibleChunks() throws {
    let info = try json(
      place.shell("slab import a.npy s.slab/x --max-shape '?,4' --quiet; slab info s.slab/x --json")
        .output)
    #expect(info["chunk_shape"] as? [Int] == [1_250_000, 4])
    let given = try json(
      place.shell(
        "slab import a.npy s.slab/y --max-shape '?,4' --chunk-shape 500,4 --quiet; slab append b.npy s.slab/y "
          + "--quiet; slab info s.slab/y --json"
      ).output)
    #expect(given["chunk_shape"] as? [Int] == [500, 4])
    #expect((given["chunks"] as? [String: Int])?["total"] == 1)
    let plan = try json(
      Tool.run("plan --shape 10,384 --dtype int16 --max-shape ?,384 --json").output)
    #expect(plan["chunk_shape"] as? [Int] == [12_837, 384])
    for (flags, why) in [
      ("--max-shape 5,4", "at least 10"), ("--max-shape 4", "expected 2 axes"),
      ("--chunk-shape 500,4", "exceeds the array shape"),
      ("--chunk-shape 500,4 --max-shape 499,4", "at most 499"),
    ] {
      let answer = try place.shell(
        "slab import a.npy s.slab/z '\(flags.replacingOccurrences(of: " ", with: "' '"))'")
      #expect(answer.code == 2 && answer.errors.contains(why), "\(answer.errors)")
    }
  }

  @Test func whatIsReplacedKeepsWhatWasSaidOfIt() throws {
    let address = place.path("s.slab/x")
    try place.shell(
      "slab import a.npy s.slab/x --attribute a=1 --attribute b=2 --unit V --dims t,c --quiet")
    let kept = try place.shell("slab import a.npy s.slab/x --overwrite --attribute a=3")
    #expect(kept.output.contains("kept of the old one: 1 attribute, unit, dims"), "\(kept)")
    var info = try json(Tool.run(["info", address, "--json"]).output)
    #expect(info["attributes"] as? [String: Int] == ["a": 3, "b": 2])
    #expect(info["unit"] as? String == "V" && info["dims"] as? [String] == ["t", "c"])
    // Names of two axes do not fit three; what is given counts.
    try place.write(Workplace.npy("<i2", [2, 1, 1], Data([1, 0, 2, 0])), to: "c.npy")
    #expect(try place.shell("slab import c.npy s.slab/x --overwrite --unit mV --quiet").code == 0)
    info = try json(Tool.run(["info", address, "--json"]).output)
    #expect(info["unit"] as? String == "mV" && info["dims"] is NSNull)
    #expect(info["attributes"] as? [String: Int] == ["a": 3, "b": 2])
    let dropped = try place.shell("slab import a.npy s.slab/x --overwrite --drop-metadata")
    #expect(dropped.code == 0 && !dropped.output.contains("kept"))
    info = try json(Tool.run(["info", address, "--json"]).output)
    #expect((info["attributes"] as? [String: Any])?.isEmpty == true && info["unit"] is NSNull)
  }

  @Test(arguments: [
    ("|V2", 2, "bfloat16"), ("|V1", 1, "8-bit floats"), ("|V7", 7, "bytes without a type"),
    ("|O", 8, "a pickle"), ("|S3", 3, "array.shape + (3,)"), ("<U5", 20, "text of 5 characters"),
    ("<M8[ns]", 8, ".astype(\"int64\") and import it with --unit \"nanoseconds since 1970-01-01\""),
    ("<m8[us]", 8, "--unit \"microseconds\""), ("<M8", 8, "Save array.astype(\"int64\");"),
    ("<M8[M]", 8, "array.astype(\"datetime64[D]\").astype(\"int64\")"),
    ("<M8[Y]", 8, "--unit \"days since 1970-01-01\""),
    ("<M8[25s]", 8, "array.astype(\"datetime64[s]\").astype(\"int64\")"),
    ("<f16", 16, "array.astype(\"float64\")"), ("<c32", 32, "array.astype(\"complex128\")"),
    ("[('t', '<f8'), ('x', '<i4')]", 12, "found t, x. Save each field"),
  ])
  func typesThatNoDataSetHoldsAreToldTruly(_ type: String, _ size: Int, _ why: String) throws {
    try place.write(Workplace.npy(type, [2], Data(count: 2 * size)), to: "in.npy")
    let answer = try place.shell("slab import in.npy s.slab/x")
    #expect(answer.code == 2)
    #expect(answer.errors.contains(why), "\(answer.errors)")
    #expect(!place.exists("s.slab"), "a refused import leaves nothing")
  }

  @Test(arguments: [
    ("PK\u{3}\u{4}", ".npz archive"), ("\u{89}HDF\r\n", "HDF5"), ("", "it is empty"),
    ("1,2,3\n", "--raw with --dtype"),
  ])
  func otherFilesAreRecognised(_ start: String, _ why: String) throws {
    try place.write(Data(start.unicodeScalars.map { UInt8($0.value) }), to: "in.npy")
    let answer = try place.shell("slab import in.npy s.slab/x")
    #expect(answer.code == 2 && answer.errors.contains(why), "\(answer.errors)")
  }

  @Test func aRefusedImportMakesNoStore() throws {
    for flags in [
      "--dims a,b,c", "--fill-value x", "--delta 7", "--chunk-shape 0,4", "--attribute a=x",
    ] {
      let answer = try place.shell("slab import a.npy no/such/s.slab/x \(flags)")
      #expect(answer.code == 2, "\(flags)")
      #expect(!place.exists("no"), "\(flags)")
    }
  }
}
