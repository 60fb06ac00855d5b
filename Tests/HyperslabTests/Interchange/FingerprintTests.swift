import Foundation
import Hyperslab
import SystemPackage
import Testing

/// What identifies a file as a source: its contents, and nothing else of it.
@Suite struct FingerprintTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func fingerprint(
    _ bytes: [UInt8], type: String = "<i2", shape: [Int?] = [nil, 4], skip: Int = 0
  ) throws -> String {
    let path = try directory.write(bytes, to: "\(UUID().uuidString).bin")
    let file = try RawFile(path, type: NumPyType(type), shape: shape, skipByteCount: skip)
    return try #require(file.fingerprint)
  }

  @Test func aCopyIsTheSameSource() throws {
    let bytes = (0..<800).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let first = try fingerprint(bytes)
    let copy = try directory.write(bytes, to: "copy.bin")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 0)], ofItemAtPath: copy.string)
    let file = try RawFile(copy, type: NumPyType("<i2"), shape: [100, 4])
    #expect(file.fingerprint == first)
    #expect(try fingerprint([1, 2, 3] + bytes, skip: 3) == first)
  }

  @Test func everyDifferenceMakesAnother() throws {
    let bytes = (0..<800).map { UInt8(truncatingIfNeeded: $0 * 7) }
    var found = [
      try fingerprint(bytes), try fingerprint(bytes, type: ">i2"),
      try fingerprint(bytes, type: "<u2"), try fingerprint(bytes, shape: [nil, 8]),
      try fingerprint(bytes + bytes), try fingerprint(Array(bytes.dropLast(8))),
      try fingerprint([]),
    ]
    for index in [0, 333, 799] {
      var changed = bytes
      changed[index] ^= 1
      found.append(try fingerprint(changed))
    }
    #expect(Set(found).count == found.count)
    #expect(found.allSatisfy { $0.utf8.count <= DatasetDescription.maximumFingerprintByteCount })
  }

  @Test func largeFilesAreSampled() throws {
    var bytes = [UInt8](repeating: 3, count: 9_000_000)
    let first = try fingerprint(bytes)
    for index in [0, 65_535, 8_999_999, 9_000_000 - 65_536] {
      bytes[index] ^= 1
      #expect(try fingerprint(bytes) != first, "byte \(index)")
      bytes[index] ^= 1
    }
    // One in a run of bytes as long as the distance of two samples is seen.
    for index in 4_000_000..<4_150_000 { bytes[index] ^= 1 }
    #expect(try fingerprint(bytes) != first)
  }

  @Test func itIsKeptWithTheDataset() throws {
    let path = try directory.write((0..<80).map { UInt8($0) }, to: "a.bin")
    let file = try RawFile(path, type: NumPyType("<i2"), shape: [10, 4])
    let place = directory.path.appending("f.slab")
    let store = try SlabStore.create(at: place)
    try store.write(try GenericDataChunkIterator(file), to: "x")
    try store.close()
    let kept = try SlabStore.open(place).dataset("x").description.sourceFingerprint
    #expect(kept == file.fingerprint)
    #expect(kept != nil)
  }
}
