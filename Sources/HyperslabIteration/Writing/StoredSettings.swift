import HyperslabCore

/// What a data set was created with, held against what a write that would continue it asks for.
struct StoredSettings {
  private let stored: DatasetDescription

  init(_ stored: DatasetDescription) { self.stored = stored }

  /// Checks everything that was asked for by name; what was left out is taken as it is stored.
  ///
  /// A level of 1 counts as left out, and so does a chunk size in megabytes where the data set may
  /// grow, since it stands for another shape each time.
  ///
  /// - Throws: `resume_mismatch` listing every difference as name: stored → asked.
  func check(
    _ plan: BufferPlan, _ options: WriteOptions, _ dataType: DataType
  ) throws(HyperslabError) {
    var differences: [String] = []
    func compare<T: Equatable>(
      _ name: String, _ stored: T, _ asked: T?, _ text: (T) -> String = { "\($0)" }
    ) {
      guard let asked, asked != stored else { return }
      differences.append("\(name): \(text(stored)) → \(text(asked))")
    }
    if let problem = shapeProblem(plan.shape, mayGrow: options.part == nil) {
      differences.append(problem)
    }
    compare("dtype", stored.dataType, dataType)
    compare("chunk_shape", stored.chunkShape, chunkShape(plan, options))
    compare("max_shape", stored.maximumShape, options.maximumShape, maximumText)
    compare("fill_value", stored.fillValue, options.fillValue) { $0.json.text() }
    compare("filter", stored.compression.filter, options.compression.filter.map { $0 }) {
      $0?.rawValue ?? "auto"
    }
    compare("delta", stored.compression.delta, options.compression.delta.map { $0 }) {
      $0.map { "axis \($0)" } ?? "none"
    }
    if options.compression.level != Compression().level {
      compare("level", stored.compression.level, options.compression.level)
    }
    if let block = options.compression.blockByteCount {
      compare("block", stored.compression.blockByteCount ?? 0, block)
    }
    compare("dims", stored.dimensionNames, options.dimensionNames.map { $0 }) {
      $0.map { $0.map { $0 ?? "-" }.joined(separator: ",") } ?? "none"
    }
    compare("unit", stored.unit, options.unit.map { $0 }) { $0 ?? "none" }
    for key in options.attributes.keys.sorted() {
      compare("attribute \(key)", stored.attributes[key], options.attributes[key].map { $0 }) {
        $0?.text() ?? "none"
      }
    }
    guard differences.isEmpty else {
      throw HyperslabError(
        .resumeMismatch,
        "the data set there is not the one that this write would continue (stored → asked): "
          + differences.joined(separator: "; "),
        remedy: "Ask for what is stored, leave the options out, or write under another name")
    }
  }

  private func shapeProblem(_ asked: Shape, mayGrow: Bool) -> String? {
    let shape = stored.shape
    if asked == shape { return nil }
    let difference = "shape: \(shape) → \(asked)"
    guard mayGrow, asked.rank == shape.rank, let old = shape.first, let new = asked.first,
      new > old, asked.axes.dropFirst() == shape.axes.dropFirst()
    else { return difference }
    let limit = stored.maximumShape.first ?? nil
    guard let limit, new > limit else { return nil }
    return difference + ", beyond max_shape \(maximumText(stored.maximumShape))"
  }

  private func chunkShape(_ plan: BufferPlan, _ options: WriteOptions) -> Shape? {
    if let shape = options.chunkShape { return shape }
    switch plan.chunkChoice {
    case .shape: return plan.chunkShape
    case .megabytes: return stored.maximumShape == stored.shape.map { $0 } ? plan.chunkShape : nil
    case .usual: return nil
    }
  }

  private func maximumText(_ shape: [Int?]) -> String {
    "(" + shape.map { $0.map(String.init) ?? "?" }.joined(separator: ", ")
      + (shape.count == 1 ? ",)" : ")")
  }
}
