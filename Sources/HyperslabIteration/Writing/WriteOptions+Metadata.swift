public import HyperslabCore

extension WriteOptions {
  /// Takes over what another data set, such as the one to be replaced, says beside its data and these
  /// options do not, as far as it fits the new array: its attributes and its unit; the names of its axes and,
  /// where it could grow and the new array fits, how far, both for as many axes; its fill value where the
  /// new type holds it exactly.
  ///
  /// - Parameters:
  ///   - shape: The new array's shape.
  ///   - dataType: Its type.
  /// - Returns: what did not fit, in words for the user: "the fill value -1, which uint8 cannot hold".
  @discardableResult
  public mutating func keepMetadata(
    of old: DatasetDescription, shape: Shape, dataType: DataType
  ) -> [String] {
    var lost: [String] = []
    var attributes = old.attributes
    for (name, value) in self.attributes { attributes[name] = value }
    self.attributes = attributes
    unit = unit ?? old.unit
    if old.shape.rank == shape.rank { dimensionNames = dimensionNames ?? old.dimensionNames }
    if fillValue == nil, old.fillValue != FillValue(zero: old.dataType) {
      fillValue = old.fillValue.exactly(as: dataType)
      if fillValue == nil {
        lost.append(
          "the fill value \(old.fillValue.json.text()), which \(dataType) cannot hold")
      }
    }
    if maximumShape == nil, old.maximumShape != old.shape.map({ $0 }) {
      maximumShape = Self.limits(of: old, for: shape)
      if maximumShape == nil {
        let limits = old.maximumShape.map { $0.map(String.init) ?? "?" }.joined(separator: ",")
        lost.append("the maximum shape \(limits), into which \(shape) does not fit")
      }
    }
    return lost
  }

  /// How far another array may grow: an axis that could not becomes as long as it is there.
  private static func limits(of old: DatasetDescription, for shape: Shape) -> [Int?]? {
    guard old.shape.rank == shape.rank, old.maximumShape.count == shape.rank else { return nil }
    var limits = old.maximumShape
    for axis in shape.indices {
      if limits[axis] == old.shape[axis] { limits[axis] = shape[axis] }
      if let limit = limits[axis], limit < shape[axis] { return nil }
    }
    return limits
  }
}
