public import HyperslabCore

/// Slices of data sets as text for people, in NumPy's manner.
public enum ArrayText {
  /// A slice as NumPy prints arrays; above 1000 elements only the first and last three of an axis
  /// are read and shown, so that an array of any size prints at once.
  ///
  /// - Parameters:
  ///   - terms: What to show, as for reading; axes indexed by an integer are dropped.
  ///   - dataset: Where from.
  ///   - width: Columns after which rows are broken.
  ///   - missing: What to do about chunks that nobody ever wrote.
  /// - Throws: `unsupported_format` for so many axes that their corners alone are a million elements, and
  ///   what reading throws.
  public static func summary(
    _ terms: [any AxisSelection] = [], of dataset: some ChunkedDataset, width: Int = 88,
    missing: MissingChunks = .refuse
  ) throws(HyperslabError) -> String {
    let slice = try ResolvedSlice(terms, in: dataset.grid.arrayShape)
    let excerpt = Excerpt(
      slice, isWhole: slice.resultShape.elementCount.map { $0 <= 1000 } ?? false)
    let texts = try excerpt.read(dataset, missing: missing)
    let kept = zip(excerpt.groups, slice.droppedAxes).filter { !$1 }.map(\.0)
    if kept.isEmpty { return texts[0] }
    if slice.region.isEmpty {
      return "[], shape \(slice.resultShape), \(dataset.description.dataType)"
    }
    let longest = texts.reduce(0) { Swift.max($0, $1.utf8.count) }
    var printer = ArrayPrinter(groups: kept, texts: texts, textWidth: longest, width: width)
    printer.write(axis: 0)
    return printer.output
  }
}

/// The corners of a slice that stand for all of it.
private struct Excerpt {
  let slice: ResolvedSlice
  /// The positions shown of each axis of the region; two groups leave a gap between them.
  let groups: [[Range<Int>]]

  init(_ slice: ResolvedSlice, isWhole: Bool) {
    self.slice = slice
    groups = slice.region.shape.map { length in
      isWhole || length <= 6 ? [0..<length] : [0..<3, length - 3..<length]
    }
  }

  /// The shown elements' text in C order.
  func read(
    _ dataset: some ChunkedDataset, missing: MissingChunks
  ) throws(HyperslabError) -> [String] {
    let element = ElementText(dataset.description.dataType)
    let size = dataset.description.dataType.byteCount
    let shape = Shape(groups.map { $0.reduce(0) { $0 + $1.count } })
    if shape.isEmptyArray { return [] }
    guard let count = shape.elementCount, count <= 1 << 20,
      let whole = StridedLayout.rowMajor(shape, elementByteCount: size)
    else {
      throw HyperslabError(
        .unsupportedFormat, "a selection of shape \(slice.resultShape) as text",
        at: "\(dataset.path)", expected: "at most \(1 << 20) elements in its corners",
        remedy: "Select one position of some axes, or write json or npy")
    }
    let buffer = try ElementBuffer(allocating: count * size)
    for combination in combinations {
      let part = slice.region(combination.map(\.positions))
      let place = whole.part(Selection(combination.map(\.place)))
      try buffer.withMutableBytes { span throws(HyperslabError) in
        try dataset.read(
          part, into: &span, layout: slice.layout(of: part, in: place), missing: missing)
      }
    }
    return try buffer.withBytes { span throws(HyperslabError) in
      var texts: [String] = []
      for number in 0..<count { texts.append(try element.text(of: span, at: number * size)) }
      return texts
    }
  }

  private typealias Corner = (positions: Range<Int>, place: Range<Int>)

  private var combinations: [[Corner]] {
    groups.reduce([[]]) { corners, groups in
      var place = 0
      var axis: [Corner] = []
      for group in groups {
        axis.append((group, place..<place + group.count))
        place += group.count
      }
      return corners.flatMap { corner in axis.map { corner + [$0] } }
    }
  }
}

/// Writes nested brackets, one innermost row a line.
private struct ArrayPrinter {
  let groups: [[Range<Int>]]
  let texts: [String]
  let textWidth: Int
  let width: Int
  var output = ""
  private var next = 0

  init(groups: [[Range<Int>]], texts: [String], textWidth: Int, width: Int) {
    self.groups = groups
    self.texts = texts
    self.textWidth = textWidth
    self.width = width
  }

  mutating func write(axis: Int) {
    output += "["
    if axis == groups.count - 1 {
      writeRow(indent: axis + 1)
    } else {
      let separator =
        String(repeating: "\n", count: groups.count - 1 - axis)
        + String(repeating: " ", count: axis + 1)
      for (index, group) in groups[axis].enumerated() {
        if index > 0 { output += separator + "..." }
        for position in group {
          if position > 0 { output += separator }
          write(axis: axis + 1)
        }
      }
    }
    output += "]"
  }

  private mutating func writeRow(indent: Int) {
    var column = indent
    func words(_ group: Range<Int>) -> [String] {
      group.map { _ in
        defer { next += 1 }
        let text = texts[next]
        return String(repeating: " ", count: textWidth - text.utf8.count) + text
      }
    }
    var row: [String] = []
    for (index, group) in groups[groups.count - 1].enumerated() {
      if index > 0 { row.append("...") }
      row += words(group)
    }
    for (index, word) in row.enumerated() {
      if index > 0 {
        if column + 1 + word.utf8.count > width {
          output += "\n" + String(repeating: " ", count: indent)
          column = indent
        } else {
          output += " "
          column += 1
        }
      }
      output += word
      column += word.utf8.count
    }
  }
}
