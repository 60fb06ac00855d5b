/// Where a group or data set stands in a store: names joined by `/`; the root is empty.
///
/// Names must be usable as file names on every system and by every Zarr reader (Spec, "Names").
///
/// Two spellings that Unicode takes for equal are one path, as on disks that take them for one.
public struct NodePath: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The names joined by `/`; empty for the root.
  public let description: String
  /// Equal for all spellings of a path. Kept, since working it out again for every comparison would
  /// make names of many combining marks slow.
  private let spellingHash: Int
  private let isASCII: Bool

  /// The root group.
  public static let root = NodePath(unchecked: "")

  private static let slash = UInt8(ascii: "/")

  private init(unchecked description: some StringProtocol) {
    let description = String(description)
    self.description = description
    (spellingHash, isASCII) = Self.hash(description, after: (0, true))
  }

  /// A node of a group. Only its own name is gone through.
  private init(_ group: NodePath, unchecked name: String) {
    description = group.description.isEmpty ? name : "\(group.description)/\(name)"
    (spellingHash, isASCII) = Self.hash(name, after: (group.spellingHash, group.isASCII))
  }

  /// Goes on with the hash of a path by names below it, and with whether all is ASCII.
  private static func hash(
    _ names: String, after above: (hash: Int, isASCII: Bool)
  ) -> (hash: Int, isASCII: Bool) {
    var all = above
    let bytes = names.utf8.span
    var start = 0
    while start < bytes.count {
      var end = start
      while end < bytes.count, bytes[end] != slash { end += 1 }
      let name = bytes.extracting(start..<end)
      var hasher = Hasher()
      hasher.combine(all.hash)
      if name.isASCII {
        unsafe name.bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
      } else {
        all.isASCII = false
        // All spellings are equal, which takes time with the square of at most 255 bytes.
        let (from, to) = (
          names.utf8.startIndex, names.utf8.index(names.utf8.startIndex, offsetBy: end)
        )
        let text = names.utf8[names.utf8.index(from, offsetBy: start)..<to]
        hasher.combine(String(Substring(text)))
      }
      all.hash = hasher.finalize()
      start = end + 1
    }
    return all
  }

  /// Reads `a/b/c`; a leading and a trailing slash are ignored.
  ///
  /// - Throws: `invalid_name` naming the component and the rule it breaks.
  public init(_ text: String) throws(HyperslabError) {
    var trimmed = text[...]
    // Bytes, not characters: a combining mark after a slash makes another character of it.
    if trimmed.utf8.first == Self.slash { trimmed = Substring(trimmed.utf8.dropFirst()) }
    if trimmed.utf8.last == Self.slash { trimmed = Substring(trimmed.utf8.dropLast()) }
    guard trimmed.utf8.count <= 1024 else {
      throw HyperslabError(
        .invalidName, "a path of \(trimmed.utf8.count) bytes", expected: "at most 1024")
    }
    for component in trimmed.utf8.split(separator: Self.slash, omittingEmptySubsequences: false)
    where !trimmed.isEmpty && !Self.isSimple(component) {
      let component = String(Substring(component))
      if let rule = Self.brokenRule(component) {
        throw HyperslabError(
          .invalidName, "the name \"\(component)\" in \"\(text)\" \(rule)",
          remedy: "Use 1 to 255 bytes without / \\, control characters or heaps of combining marks")
      }
    }
    self.init(unchecked: trimmed)
  }

  /// The node of a group that has a name; nil where no node can have it. Cheaper than reading the whole path.
  package func child(named name: String) -> NodePath? {
    let (length, count) = (description.utf8.count, name.utf8.count)
    guard length + (length == 0 ? 0 : 1) + count <= 1024,
      !name.utf8.contains(Self.slash), Self.isSimple(name.utf8[...]) || Self.brokenRule(name) == nil
    else { return nil }
    return NodePath(self, unchecked: name)
  }

  /// Whether a name breaks no rule that can be told from its first bytes: most names.
  private static func isSimple(_ name: Substring.UTF8View) -> Bool {
    // "c", "zarr.json" and "slab.json" are looked at more closely, and what is as long.
    guard let first = name.first, name.count != 9, name.count <= 255 else { return false }
    return first != UInt8(ascii: ".") && first != UInt8(ascii: "_")
      && (first != UInt8(ascii: "c") || name.count > 1)
      && name.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
  }

  private static func brokenRule(_ name: String) -> String? {
    if name.isEmpty { return "is empty" }
    if name.utf8.count > 255 { return "is longer than 255 bytes" }
    // Bytes, not characters: a combining mark after the dot makes another character of it.
    if name.utf8.starts(with: ".".utf8) { return "starts with a dot" }
    if name.utf8.starts(with: "__".utf8) {
      return "starts with two underscores, which the store keeps for itself"
    }
    if ["c", "zarr.json", "slab.json"].contains(where: name.hasSameBytes) {
      return "is kept for the store's own files"
    }
    if hasControl(name.utf8.span) { return "contains a character that cannot stand in a file name" }
    return name.isStreamSafe ? nil : "has more than 30 combining marks in a row"
  }

  /// Whether UTF-8 has a slash, a backslash or what Unicode has of controls.
  private static func hasControl(_ bytes: Span<UInt8>) -> Bool {
    var before: UInt8 = 0
    for position in bytes.indices {
      let byte = bytes[position]
      // The last are U+0080 to U+009F.
      if byte < 0x20 || byte == 0x7F || byte == slash || byte == UInt8(ascii: "\\")
        || before == 0xC2 && byte < 0xA0
      {
        return true
      }
      before = byte
    }
    return false
  }

  /// The names, outermost first.
  public var components: [String] {
    description.utf8.split(separator: Self.slash).map { String(Substring($0)) }
  }

  /// How many names it has.
  package var depth: Int {
    description.isEmpty ? 0 : 1 + description.utf8.count { $0 == Self.slash }
  }

  /// The last name; empty for the root.
  public var name: String {
    let end = description.utf8.lastIndex(of: Self.slash).map { description.utf8.index(after: $0) }
    return String(description[(end ?? description.startIndex)...])
  }

  /// The group that holds it; nil for the root.
  public var parent: NodePath? {
    if description.isEmpty { return nil }
    let end = description.utf8.lastIndex(of: Self.slash) ?? description.startIndex
    return NodePath(unchecked: description[..<end])
  }

  /// All groups above it, the root first.
  public var ancestors: [NodePath] {
    if description.isEmpty { return [] }
    var groups = [NodePath.root]
    // From the root on, so that each name is gone through once.
    for name in components.dropLast() {
      groups.append(NodePath(groups[groups.count - 1], unchecked: name))
    }
    return groups
  }

  /// All groups above some nodes. Of each only those are gone through that none before it was in.
  package static func ancestors(ofAll paths: some Sequence<NodePath>) -> Set<NodePath> {
    var all: Set<NodePath> = []
    for path in paths {
      var above = path.parent
      while let group = above, all.insert(group).inserted { above = group.parent }
    }
    return all
  }

  /// What is left of it without its first names.
  package func dropFirst(_ count: Int) -> String {
    var rest = description.utf8[...]
    for _ in 0..<count {
      guard let slash = rest.firstIndex(of: Self.slash) else { return "" }
      rest = rest[rest.index(after: slash)...]
    }
    return String(Substring(rest))
  }

  /// Whether it lies below `other`, at any depth.
  public func isDescendant(of other: NodePath) -> Bool {
    if other.description.isEmpty { return !description.isEmpty }
    if isASCII, other.isASCII {
      let (all, start) = (description.utf8.span, other.description.utf8.span)
      return all.count > start.count && all[start.count] == Self.slash
        && all.commonPrefixCount(with: start) == start.count
    }
    let (own, others) = (components, other.components)
    return own.count > others.count && own.starts(with: others)
  }

  /// Whether all spellings of one are spellings of the other.
  public static func == (a: NodePath, b: NodePath) -> Bool {
    if a.spellingHash != b.spellingHash { return false }
    if a.description.hasSameBytes(as: b.description) { return true }
    return !a.isASCII && !b.isASCII && a.description == b.description
  }

  /// Hashes the path, the same for all spellings.
  public func hash(into hasher: inout Hasher) { hasher.combine(spellingHash) }

  /// By components, so that a group comes right before what it holds.
  public static func < (a: NodePath, b: NodePath) -> Bool {
    let (ownBytes, otherBytes) = (a.description.utf8.span, b.description.utf8.span)
    let common = ownBytes.commonPrefixCount(with: otherBytes)
    if a.isASCII, b.isASCII {
      guard common < ownBytes.count, common < otherBytes.count else {
        return ownBytes.count < otherBytes.count
      }
      // A slash comes before everything that a name can hold.
      let (own, other) = (ownBytes[common], otherBytes[common])
      return own == slash || other != slash && own < other
    }
    // Only the first names that differ in a byte are compared as Unicode has it, which is dear.
    var same = common
    while same > 0, ownBytes[same - 1] != slash { same -= 1 }
    var own = a.description.utf8.dropFirst(same)
    var others = b.description.utf8.dropFirst(same)
    while !own.isEmpty, !others.isEmpty {
      let (name, other) = (takeName(&own), takeName(&others))
      if name != other { return name < other }
    }
    return own.isEmpty && !others.isEmpty
  }

  private static func takeName(_ rest: inout Substring.UTF8View) -> String {
    let end = rest.firstIndex(of: slash) ?? rest.endIndex
    defer { rest = end == rest.endIndex ? rest[end...] : rest[rest.index(after: end)...] }
    return String(Substring(rest[..<end]))
  }
}
