import Foundation
import Testing

/// Where a path leads, and where stores are made and are not.
@Suite struct AddressTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  @Test func pathsLeadWhereTheSystemSays() throws {
    let answer = try place.shell(
      """
      mkdir -p real/deep cwd; slab import a.npy real/rec.slab/g/x --quiet
      slab import a.npy cwd/rec.slab/g/x --quiet; ln -s ../real/deep cwd/link; ln -s real/rec.slab store
      ln -s real/rec.slab/g group; cd cwd; slab rm link/../rec.slab/g/x || exit 3
      slab info rec.slab/g/x > /dev/null || exit 4; slab info ../real/rec.slab/g/x; test $? = 2 || exit 5
      cd ..; slab import b.npy group/y --quiet || exit 6; slab info store/g/y > /dev/null || exit 7
      slab import b.npy cwd/link/../new.slab/x --quiet || exit 8; test -f real/new.slab/slab.json || exit 9
      slab ls cwd/./rec.slab/ > /dev/null || exit 10; slab ls none/../cwd/rec.slab; test $? = 2 || exit 11
      cd cwd/rec.slab/g/x; slab info . && slab ls .. && slab ls ../..
      """)
    #expect(answer.code == 0, "\(answer)")
    #expect(answer.output.contains("(10, 4)"))
  }

  @Test func noStoreIsSlippedIntoSomebodysHierarchy() throws {
    try place.shell(
      """
      mkdir -p v2.zarr/grp v3.zarr/grp array.zarr n5/g n5set/d other.d
      echo '{"zarr_format": 2}' > v2.zarr/.zgroup; echo '{"zarr_format": 2}' > array.zarr/.zarray
      echo '{"zarr_format": 3, "node_type": "group"}' > v3.zarr/zarr.json
      echo '{"n5": "4.0.0"}' > n5/attributes.json
      echo '{"dimensions": [3], "blockSize": [3], "dataType": "int8"}' > n5set/attributes.json
      echo '{"mine": 1}' > other.d/attributes.json; ln -s v2.zarr/grp link
      """)
    for (target, kind) in [
      ("v2.zarr/grp/lfp", "Zarr v2 group"), ("v2.zarr/lfp", "Zarr v2 group"),
      ("v2.zarr/new/deep/lfp", "Zarr v2 group"), ("v3.zarr/grp/x", "Zarr v3"),
      ("v3.zarr/my.slab/x", "Zarr v3"), ("array.zarr/x", "Zarr v2 array"), ("n5/g/x", "N5 group"),
      ("n5set/d/x", "N5 data set"), ("link/lfp", "Zarr v2 group"),
      ("./v2.zarr/../v3.zarr/y", "Zarr v3"),
    ] {
      let answer = try place.shell("slab import a.npy \(target) --quiet")
      #expect(answer.code == 2, "\(target)")
      #expect(answer.errors.contains(kind), "\(answer.errors)")
      // Both ways out that it names are some.
      let words = answer.errors.split(separator: " ").map(String.init)
      let name = try #require(words.firstIndex(of: "example").map { words[$0 + 1] }).dropLast()
      #expect(try place.shell("rm -rf *.slab; slab import a.npy \(name) --quiet").code == 0)
    }
    #expect(
      try place.shell("find v2.zarr v3.zarr array.zarr n5 n5set -name slab.json").output == "")
    #expect(try place.shell("slab import a.npy v2.zarr/grp/lfp --quiet --inside-zarr").code == 0)
    #expect(try place.shell("slab import a.npy v3.zarr/my.slab/x --quiet --inside-zarr").code == 0)
    #expect(try place.shell("slab import a.npy other.d/s.slab/x --quiet").code == 0)
    // A store of ours may be called so.
    #expect(
      try place.shell("slab import a.npy own.zarr/a/b --quiet; slab info own.zarr/a/b").code == 0)
  }

  @Test func emptyDirectoriesBecomeStoresAndMissingOnesAreMade() throws {
    let answer = try place.shell(
      """
      mkdir e.slab; chmod 2770 e.slab; slab import a.npy e.slab/x --quiet || exit 3
      slab import a.npy nope/deep/s.slab/x --quiet || exit 4
      slab import a.npy "$PWD/abs/olute/s.slab/x" --quiet || exit 5
      cat b.npy | slab import - also/not/there.slab/x --quiet || exit 6
      mkdir here; cd here; slab import ../a.npy ./x --quiet || exit 7; slab verify . || exit 8; cd ..
      for s in e.slab nope/deep/s.slab abs/olute/s.slab also/not/there.slab; do slab verify $s || exit 9
      done; mkdir full; touch full/thing; slab import a.npy full/x; echo $?
      touch file; slab import a.npy file/x; echo $?; slab import a.npy file/deep/x; echo $?; ls -A full
      """)
    #expect(answer.code == 0, "\(answer)")
    #expect(answer.output.hasSuffix("2\n2\n2\nthing\n"), "\(answer.output)")
    #expect(answer.errors.contains("found thing. Choose another name"))
    #expect(try place.mode("e.slab") == 0o2770)
  }

  @Test(arguments: ["c.slab", "made/up/c.slab", "empty.slab"])
  func manyProcessesMakeOneStore(_ store: String) throws {
    try place.shell("mkdir empty.slab")
    let lines = (0..<8).map {
      ["import", place.path("a.npy"), place.path("\(store)/x\($0)"), "--quiet"]
    }
    for answer in try Tool.runTogether(lines) {
      #expect(answer == Tool.Answer(output: "", errors: "", code: 0))
    }
    let nodes = try json(Tool.run(["ls", place.path(store), "--json"]).output)["nodes"] as? [Any]
    #expect(nodes?.count == 9)
    #expect(try Tool.run(["verify", place.path(store)]).code == 0)
    #expect(try place.shell("ls -A \(store) $(dirname \(store)) | grep tmp").output == "")
  }

  @Test func linksAreNamedAndFollowedWhereAsked() throws {
    let answer = try place.shell(
      """
      slab import a.npy s.slab/x --attribute k=1 --quiet; slab export s.slab/x plain.npy; mkdir keep
      cd s.slab; for f in $(find . -type f); do n=$(echo $f | tr / _); mv $f ../keep/$n
      ln -s "$PWD/../keep/$n" $f; done
      """)
    #expect(answer.code == 0)
    let reading = [
      "ls s.slab", "info s.slab/x", "read s.slab/x", "export s.slab/x out.npy", "attr get s.slab/x",
      "verify s.slab",
    ]
    for line in reading {
      let refused = try place.shell("slab \(line)")
      #expect(refused.code != 0)
      #expect((refused.errors + refused.output).contains("Read it with --follow-links"), "\(line)")
      let followed = try place.shell("slab \(line) --follow-links")
      #expect(followed.code == 0, "\(line): \(followed.errors)")
    }
    #expect(try place.bytes("out.npy") == place.bytes("plain.npy"))
    for line in [
      "attr set s.slab/x k 1", "append b.npy s.slab/x", "rm s.slab/x", "import a.npy s.slab/y",
    ] {
      let answer = try place.shell("slab \(line)")
      #expect(answer.code == 2 && answer.errors.contains("a symbolic link"), "\(line)")
      #expect(try place.shell("slab \(line) --follow-links").code == 64)
    }
    try place.shell("rm keep/.*_c_0_0")
    let dangling = try place.shell("slab read s.slab/x --follow-links")
    #expect(dangling.code == 2 && dangling.errors.contains("datalad get"), "\(dangling.errors)")
  }
}
