import HyperslabCore
import SystemPackage

/// Somebody's Zarr or N5 hierarchy, which a store must not be slipped into.
enum ForeignHierarchy {
  /// The nearest group or array of another program's that a directory, which need not be there yet, is
  /// or lies in.
  static func enclosing(_ directory: FilePath) -> (place: FilePath, kind: String)? {
    var existing = directory
    while !existing.isEmpty, !StoreSearch.exists(existing) { existing.removeLastComponent() }
    guard var place = StoreSearch.real(existing.isEmpty ? "." : existing) else { return nil }
    while true {
      // A store that is just being made has its own `zarr.json` before it has its index.
      if !StoreSearch.exists(place.appending("__slab")), let kind = kind(place) {
        return (place, kind)
      }
      guard place.lastComponent != nil else { return nil }
      place.removeLastComponent()
    }
  }

  /// What of another program's a directory is itself; nil where it is nothing of the kind.
  static func kind(_ directory: FilePath) -> String? {
    for (name, kind) in [
      ("zarr.json", "a Zarr v3 group or array"), (".zgroup", "a Zarr v2 group"),
      (".zarray", "a Zarr v2 array"), (".zmetadata", "a Zarr v2 group"),
    ] where StoreSearch.exists(directory.appending(name)) { return kind }
    // Others call files so, too.
    guard let bytes = beginning(of: directory.appending("attributes.json")),
      let members = try? JSONParser.parse(bytes, roundsLargeIntegers: true).object
    else { return nil }
    if members["dimensions"] != nil, members["blockSize"] != nil { return "an N5 data set" }
    return members["n5"] != nil ? "an N5 group" : nil
  }

  private static func beginning(of path: FilePath) -> [UInt8]? {
    guard
      let file = try? FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .closeOnExec])
    else { return nil }
    defer { try? file.close() }
    return try? unsafe [UInt8](unsafeUninitializedCapacity: 1 << 20) { memory, count in
      count = try unsafe file.read(into: UnsafeMutableRawBufferPointer(memory))
    }
  }
}
