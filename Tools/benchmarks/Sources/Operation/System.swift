import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

func equalBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
  memcmp(a, b, count) == 0
}

/// The most memory that this process ever had resident, in bytes.
func peakResidentByteCount() -> Int {
  var usage = rusage()
  // RUSAGE_SELF is 0 everywhere, but not of the parameter's type.
  getrusage(0, &usage)
  #if canImport(Darwin)
    return usage.ru_maxrss
  #else
    return usage.ru_maxrss * 1024
  #endif
}

/// The bytes of all files below a directory.
func fileByteCount(below path: FilePath) -> Int {
  if let names = names(in: path) {
    return names.reduce(0) { $0 + fileByteCount(below: path.appending($1)) }
  }
  var status = stat()
  return lstat(path.string, &status) == 0 ? Int(status.st_size) : 0
}

/// Removes a file, or a directory and all below it; nothing may be there.
func removeTree(_ path: FilePath) {
  guard let names = names(in: path) else {
    unlink(path.string)
    return
  }
  for name in names { removeTree(path.appending(name)) }
  rmdir(path.string)
}

/// What a directory holds; nil for anything else.
private func names(in directory: FilePath) -> [String]? {
  guard let stream = opendir(directory.string) else { return nil }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != "." && name != ".." { names.append(name) }
  }
  return names
}
