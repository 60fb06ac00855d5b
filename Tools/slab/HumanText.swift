import Hyperslab

extension DatasetInfo {
  /// The filters in the order in which they are applied.
  var filterText: String {
    (delta.map { "delta (axis \($0)) + " } ?? "") + (filter?.rawValue ?? "auto")
  }
}

/// Numbers as people read them.
enum HumanText {
  /// Bytes with three digits in decimal units: `400 MB`, `1.74 MB`, `96 B`.
  static func size(_ byteCount: Int?) -> String {
    guard let byteCount else { return "more than 9.2 EB" }
    var value = Double(byteCount)
    var unit = 0
    while value >= 999.5, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return "\(unit == 0 ? String(byteCount) : digits(value)) \(units[unit])"
  }

  /// The sum of sizes; nil where it is more than can be told.
  static func sum(_ sizes: [Int]) -> Int? {
    var sum = 0
    for size in sizes {
      let (next, isTooLarge) = sum.addingReportingOverflow(size)
      if isTooLarge { return nil }
      sum = next
    }
    return sum
  }

  private static let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]

  /// Three significant digits, trailing zeros kept: `400`, `53.1`, `1.70`.
  static func digits(_ value: Double) -> String {
    let decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
    return fixed(value, decimals)
  }

  static func fixed(_ value: Double, _ decimals: Int) -> String {
    let scale = decimals == 0 ? 1 : decimals == 1 ? 10 : 100
    guard let scaled = Int(exactly: (value * Double(scale)).rounded()) else { return "\(value)" }
    if decimals == 0 { return String(scaled) }
    let fraction = String(scaled % scale)
    return "\(scaled / scale)."
      + String(repeating: "0", count: decimals - fraction.utf8.count) + fraction
  }

  /// `1 chunk`, `1,296 chunks`.
  static func count(_ count: Int?, _ noun: String) -> String {
    guard let count else { return "more than 9.2e18 \(noun)s" }
    return "\(grouped(count)) \(noun)\(count == 1 ? "" : "s")"
  }

  static func grouped(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  static func ratio(_ ratio: Double?) -> String { ratio.map { "\(digits($0))×" } ?? "–" }

  static func duration(_ duration: Duration) -> String {
    let seconds = duration / .seconds(1)
    if seconds < 60 { return "\(digits(seconds)) s" }
    let whole = Int(exactly: seconds.rounded()) ?? .max
    let (minutes, rest) = (whole / 60, whole % 60)
    if minutes < 60 { return "\(minutes) min \(rest) s" }
    return "\(minutes / 60) h \(minutes % 60) min"
  }
}

/// Rows of cells in aligned columns.
struct TextTable {
  enum Alignment { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]] = []

  init(_ alignments: [Alignment]) { self.alignments = alignments }

  /// What a cell holds is shown as it is, on one line.
  mutating func add(_ cells: String...) { rows.append(cells.map(\.visible)) }

  /// The lines, two spaces between columns, nothing trailing.
  var lines: [String] {
    let lengths = rows.map { $0.map(Self.width) }
    // A row of one cell is a heading, which may be as long as it likes.
    let widths = alignments.indices.map { column in
      lengths.reduce(0) { $1.count > 1 && column < $1.count ? Swift.max($0, $1[column]) : $0 }
    }
    return zip(rows, lengths).map { row, lengths in
      var line = ""
      // Spaces are written before what comes after them, so that none is at the end.
      var spaces = 0
      for (column, cell) in row.enumerated() {
        if widths[column] == 0, row.count > 1 { continue }
        if column > 0 { spaces += 2 }
        let padding = Swift.max(0, widths[column] - lengths[column])
        if alignments[column] == .right { spaces += padding }
        if !cell.isEmpty {
          line += String(repeating: " ", count: spaces) + cell
          spaces = 0
        }
        if alignments[column] == .left { spaces += padding }
      }
      while line.unicodeScalars.last == " " { line.unicodeScalars.removeLast() }
      return line
    }
  }

  /// How many characters a cell has.
  private static func width(_ cell: String) -> Int {
    cell.utf8.allSatisfy { $0 < 0x80 } ? cell.utf8.count : cell.count
  }
}
