public import HyperslabCore

extension WriteOptions {
  /// Takes over what another data set, such as the one to be replaced, says beside its data and these
  /// options do not: its attributes, its unit and, where it has as many axes, their names.
  public mutating func keepMetadata(of old: DatasetDescription, rank: Int) {
    var attributes = old.attributes
    for (name, value) in self.attributes { attributes[name] = value }
    self.attributes = attributes
    unit = unit ?? old.unit
    if old.shape.rank == rank { dimensionNames = dimensionNames ?? old.dimensionNames }
  }
}
