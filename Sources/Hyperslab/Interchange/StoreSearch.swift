import HyperslabCore
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Looks upwards from a path for a directory that holds a file, where the system itself would look: what
/// `..` and links lead to is never guessed from the text.
struct StoreSearch {
  /// The file that tells.
  let marker: String
  /// The outermost directory that could not be looked into.
  private(set) var denied: FilePath?

  init(_ marker: String) { self.marker = marker }

  /// The nearest directory that holds the marker, the path itself included, and the names below it.
  ///
  /// - Throws: `io` where there is none as far as one may look.
  mutating func run(
    _ path: FilePath
  ) throws(HyperslabError) -> (store: FilePath, names: [String])? {
    var names: [String] = []
    var place = path
    while !place.isEmpty {
      if holds(place) { return (place, names.reversed()) }
      // Above a link, above `..` and above the working directory is what the system says.
      guard let last = place.lastComponent, last.kind != .parentDirectory, place != ".",
        !Self.isLink(place)
      else { break }
      if last.kind == .regular { names.append(last.string) }
      place.removeLastComponent()
      if place.isEmpty { place = "." }
    }
    if !place.isEmpty, var real = Self.real(place) {
      var names = names
      while true {
        if holds(real) { return (real, names.reversed()) }
        guard let last = real.lastComponent else { break }
        names.append(last.string)
        real.removeLastComponent()
      }
    }
    // A link in a store that leads out of it, or nowhere, is still named as a part of it: what is wrong
    // is for the store to say.
    while let last = place.lastComponent, last.kind != .parentDirectory, place != "." {
      if last.kind == .regular { names.append(last.string) }
      place.removeLastComponent()
      if holds(place.isEmpty ? "." : place) {
        return (place.isEmpty ? "." : place, names.reversed())
      }
    }
    guard let denied else { return nil }
    throw HyperslabError(
      .fileAccess, "permission denied", at: denied.string,
      remedy: "Whether a store is there cannot be told; ask its owner for the right to enter it "
        + "(chmod g+rx or o+rx)")
  }

  private mutating func holds(_ directory: FilePath) -> Bool {
    var status = stat()
    // A link counts: where its file is missing, opening it says so.
    if unsafe directory.appending(marker).withPlatformString({ unsafe lstat($0, &status) }) == 0 {
      return true
    }
    if errno == EACCES { denied = directory }
    return false
  }

  /// The store that a directory is or lies in, whole or damaged; nil where there is none.
  static func enclosingStore(of directory: FilePath) -> FilePath? {
    guard var place = real(directory) else { return nil }
    while true {
      for marker in ["slab.json", "__slab"] where exists(place.appending(marker)) { return place }
      guard place.lastComponent != nil else { return nil }
      place.removeLastComponent()
    }
  }

  static func exists(_ path: FilePath) -> Bool {
    unsafe path.withPlatformString { unsafe access($0, F_OK) } == 0
  }

  static func isLink(_ path: FilePath) -> Bool {
    var status = stat()
    return unsafe path.withPlatformString { unsafe lstat($0, &status) } == 0
      && status.st_mode & S_IFMT == S_IFLNK
  }

  /// The path without links and dots; nil where nothing is there.
  static func real(_ path: FilePath) -> FilePath? {
    guard let text = unsafe path.withPlatformString({ unsafe realpath($0, nil) }) else {
      return nil
    }
    defer { unsafe free(text) }
    return unsafe FilePath(platformString: text)
  }
}

extension FilePath {
  /// Whether something has the name, if only a link to nothing.
  package var isTaken: Bool { StoreSearch.exists(self) || StoreSearch.isLink(self) }
}
