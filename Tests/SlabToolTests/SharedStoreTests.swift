import Foundation
import Testing

/// Stores of several people.
@Suite struct SharedStoreTests {
  private let place: Workplace

  init() throws { place = try Workplace() }

  @Test func whatAMemberMakesIsForTheWholeGroup() throws {
    let answer = try place.shell(
      """
      umask 022; slab import a.npy s.slab/x --max-shape '?,4' --chunk-shape 4,4 --quiet || exit 3
      chmod -R g+rwX s.slab; umask 077
      slab append b.npy s.slab/x --quiet && slab import b.npy s.slab/new/y --quiet || exit 4
      slab attr set s.slab/x k 1 && slab import a.npy s.slab/x --overwrite --quiet || exit 5
      find s.slab -type f ! -perm 664; find s.slab -type d ! -perm 775
      """)
    #expect(answer == Tool.Answer(output: "", errors: "", code: 0))
    // And the reverse: a private store stays private whatever the umask.
    let other = try place.shell(
      """
      umask 077; slab import a.npy p.slab/x --quiet || exit 3; umask 000
      slab import b.npy p.slab/new/y --quiet && slab attr set p.slab k 1 || exit 4
      find p.slab -type f ! -perm 600; find p.slab -type d ! -perm 700
      """)
    #expect(other == Tool.Answer(output: "", errors: "", code: 0))
  }

  private static var isRoot: Bool { geteuid() == 0 }

  @Test func aStoreOneMayNotEnterIsNotAbsent() throws {
    // Root may enter everything; somebody else is asked then.
    let user = Self.isRoot ? "setpriv --reuid 12345 --regid 12345 --clear-groups" : ""
    try place.shell(
      """
      chmod 755 .; slab import a.npy s.slab/g/x --quiet; cp a.npy in.npy; mkdir new; chmod 777 new
      chmod \(Self.isRoot ? "700" : "000") s.slab
      """)
    if Self.isRoot, try place.shell("\(user) $(which slab) --version").code != 0 { return }
    for line in [
      "ls s.slab", "info s.slab/g/x", "read s.slab/g/x", "verify s.slab", "repair s.slab",
      "attr get s.slab/g",
      "export s.slab/g/x new/o.npy", "import in.npy s.slab/y", "append in.npy s.slab/g/x",
      "rm s.slab/g",
    ] {
      let answer = try place.shell("\(user) $(which slab) \(line)")
      #expect(answer.code == 2, "\(line)")
      #expect(answer.errors.lowercased().contains("permission denied"), "\(line): \(answer.errors)")
      #expect(!answer.errors.contains("is a store"))
    }
    try place.shell("chmod 755 s.slab")
  }
}
