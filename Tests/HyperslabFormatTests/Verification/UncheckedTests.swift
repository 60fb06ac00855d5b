import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// What the system does not let be looked at is no damage.
@Suite struct UncheckedTests {
  private let directory: TemporaryDirectory
  private let path: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path.appending("small.slab")
    try SmallStore.write(at: path)
  }

  private func verify(
    failing fault: @escaping @Sendable (FaultyFileSystem.Operation, StorePath) -> Bool,
    quick: Bool = false
  ) throws -> VerificationReport {
    let files = try FaultyFileSystem(root: path)
    files.fail { operation, path, _ in fault(operation, path) }
    var verifier = Verifier(files: files, node: .root, quick: quick, threads: 2)
    try verifier.run()
    return verifier.finished
  }

  @Test(arguments: [true, false])
  func aChunkThatCannotBeOpened(quick: Bool) throws {
    let report = try verify(
      failing: { $0 == .open && $1 == StorePath("a/ramp/c/0/1") }, quick: quick)
    #expect(report.problems.isEmpty && !report.isDamaged && !report.ok)
    #expect(report.unchecked.map(\.path) == ["a/ramp/c/0/1"])
    // What was not looked at is not counted as if it were.
    #expect(try report.chunksChecked == SlabStore.verify(path).chunksChecked - 1)
    #expect(report.unchecked.first?.detail.contains("fault in open") == true)
  }

  /// Files of every kind, one at a time.
  @Test func anyFileThatCannotBeOpened() throws {
    for file in try directory.files(in: path)
    where file != "slab.json" && file != "__slab/lock" {
      let report = try verify(failing: { $0 == .open && $1 == StorePath(file) })
      #expect(!report.isDamaged, "\(file): \(report.problems)")
      #expect(report.unchecked.contains { $0.path == file }, "\(file): \(report.unchecked)")
    }
  }

  @Test func aDirectoryThatCannotBeListed() throws {
    for name in ["a", "a/ramp/c", "__slab", "__slab/t", "__slab/w"] {
      let report = try verify(failing: { $0 == .list && $1 == StorePath(name) })
      #expect(!report.isDamaged, "\(name): \(report.problems)")
      #expect(report.unchecked.contains { $0.path == name }, "\(name): \(report.unchecked)")
    }
  }

  /// Damage beside it is still damage.
  @Test func bothAreTold() throws {
    try remove(path.appending("wave/c/0/0"))
    let report = try verify(failing: { $0 == .open && $1 == StorePath("a/ramp/c/0/1") })
    #expect(report.isDamaged)
    #expect(report.problems.map(\.path) == ["wave/c/0/0"])
    #expect(report.unchecked.map(\.path) == ["a/ramp/c/0/1"])
  }
}
