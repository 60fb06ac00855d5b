import HyperslabCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Who holds a lock, as a line of JSON in the locked file. It is for people: the kernel's lock
/// decides, never a process number or a time.
enum LockHolder {
  /// The line that names this process.
  static func current(writer: String?) -> String {
    let holder: JSONObject = [
      "writer": writer.map { .string($0) } ?? .null, "host": .string(host),
      "pid": .integer(Int(getpid())),
      "since": .string(Timestamp.now()),
    ]
    return JSONValue.object(holder).text() + "\n"
  }

  /// What a file says of its holder.
  static func read(_ path: StorePath, in files: any FileSystem) -> JSONObject? {
    guard let bytes = try? files.contents(path, limit: 4096) else { return nil }
    return (try? JSONParser.parse(bytes))?.object
  }

  /// A holder in words.
  static func text(_ holder: JSONObject?) -> String {
    guard let holder, let pid = holder["pid"]?.integer, let host = holder["host"]?.string else {
      return "a process that left no name"
    }
    return "process \(pid) on \(host) since \(holder["since"]?.string ?? "an unknown time")"
  }

  /// The name of this machine.
  static var host: String {
    var name = [CChar](repeating: 0, count: 256)
    unsafe gethostname(&name, 255)
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension FileSystem {
  /// Whether the lock's file, if it is there, holds nothing but what writers write into it.
  func hasOwnLock() throws(HyperslabError) -> Bool {
    do { return Provenance.isHolderOrRemains(try contents(StoreLayout.lock, limit: 4096)) } catch {
      if error.leavesUnchecked { throw error }
      return error.code == .missing
    }
  }

  /// - Parameter own: One's own directory, if there is one.
  /// - Throws: `locked` where a writer is at work, naming it.
  func refuseLivingWriters(but own: String? = nil) throws(HyperslabError) {
    guard try status(StoreLayout.writers)?.kind == .directory else { return }
    for writer in try writersWithDirectories() where writer != own {
      let path = StoreLayout.writerLock(writer: writer)
      guard try status(path)?.kind == .file else { continue }
      guard let free = try lock(path, wait: false) else {
        throw HyperslabError(
          .locked, "a writer is at work", at: rootDescription,
          found: LockHolder.text(LockHolder.read(path, in: self)),
          remedy: "Wait until it is done, or end it")
      }
      free.release()
    }
  }
}
