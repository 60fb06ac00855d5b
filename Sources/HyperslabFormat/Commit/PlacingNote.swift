import HyperslabCore

/// What a writer notes in its directory before it gives chunks their names ahead of the commit: the data
/// sets that they are of. If it dies in between, whoever comes next looks exactly there for what it left,
/// also where no index has such a data set yet.
///
/// It is written before each commit that places something, with that commit's number, and not fsynced. A
/// power cut may take it or bring an earlier one back, but not the claim on the commit, whose name is durable
/// before anything is placed: a claim without the note of the same commit says that such things may be
/// anywhere (``DeadWriters``).
struct PlacingNote {
  let files: any FileSystem
  let writer: String

  /// The data sets that a writer noted, and for which commit last; nil where there is no whole note.
  func read() throws(HyperslabError) -> (places: Set<NodePath>, commit: Int)? {
    let bytes: [UInt8]
    do throws(HyperslabError) {
      bytes = try files.contents(
        StoreLayout.placing(writer: writer), limit: StoreIndex.maximumFileByteCount)
    } catch {
      if error.leavesUnchecked { throw error }
      return nil
    }
    guard SelfCheck.holds(bytes),
      let json = (try? JSONParser.parse(bytes, depthLimit: 4))?.object,
      let names = json["placing"]?.array, let commit = json["commit"]?.integer
    else { return nil }
    let paths = names.compactMap { name in name.string.flatMap { try? NodePath($0) } }
    return paths.count == names.count ? (Set(paths), commit) : nil
  }

  /// Adds the data sets of a commit.
  func add(_ fresh: [FreshChunks], commit: Int) throws(HyperslabError) {
    if fresh.isEmpty { return }
    var paths = try read()?.places ?? []
    // What goes into the writer's own directory goes with that.
    for chunks in fresh where !chunks.to.isIn(StoreLayout.reserved) {
      paths.insert(try NodePath(chunks.to.parent.description))
    }
    let names = paths.sorted().map { JSONValue.string("\($0)") }
    let bytes = SelfCheck.seal(["placing": .array(names), "commit": .integer(commit)])
    let note = StoreLayout.placing(writer: writer)
    let new = note.parent / "\(note.name).new"
    if try files.status(new) != nil { try files.remove(new) }
    try files.create(new, contents: bytes, synchronize: false)
    try files.rename(new, to: note)
  }
}

/// The writers that died or failed without cleaning up, as far as their directories and claims tell.
/// Looked at while the store's lock is held, so that nobody is just beginning.
struct DeadWriters {
  private(set) var writers: [String] = []
  /// The data sets in which they may have left chunk files; nil where that may be any.
  private(set) var places: Set<NodePath>? = []
  /// When the first of them began, in seconds since 1970.
  private(set) var since = Int.max

  var isEmpty: Bool { since == .max }

  /// None.
  init() {}

  init(_ files: any FileSystem, index: StoreIndex) throws(HyperslabError) {
    for writer in try files.writersWithDirectories() {
      let lock = StoreLayout.writerLock(writer: writer)
      if let status = try files.status(lock) {
        guard let free = try? files.lock(lock, wait: false) else { continue }
        free.release()
        since = Swift.min(since, status.modified)
      } else {
        // It died before it had anything, or a power cut took its lock.
        since = 0
      }
      writers.append(writer)
      let noted = try PlacingNote(files: files, writer: writer).read()
      // Without one it placed nothing, unless a power cut took it.
      if let noted { places?.formUnion(noted.places) }
    }
    for entry in try files.list(StoreLayout.reserved) where entry.kind == .file {
      guard let commit = StoreLayout.claimed(entry.name), commit > index.commit else { continue }
      let claim = StoreLayout.reserved / entry.name
      let bytes = (try? files.contents(claim, limit: 4096)) ?? []
      let holder = (try? JSONParser.parse(bytes))?.object?["writer"]?.string
      // The note of a writer that is there says more.
      if let holder, writers.contains(holder),
        try PlacingNote(files: files, writer: holder).read()?.commit == commit
      {
        continue
      }
      places = nil
      since = 0
    }
  }
}
