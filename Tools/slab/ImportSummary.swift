import Hyperslab

/// What an import that replaces a data set keeps of it.
struct KeptMetadata {
  private var parts: [String] = []
  private var lost: [String] = []

  init() {}

  init(
    of old: DatasetDescription, in options: inout WriteOptions, shape: Shape, dataType: DataType
  ) {
    let given = options
    lost = options.keepMetadata(of: old, shape: shape, dataType: dataType)
    let count = options.attributes.count - given.attributes.count
    if count > 0 { parts.append(HumanText.count(count, "attribute")) }
    if options.unit != given.unit { parts.append("unit") }
    if options.dimensionNames != given.dimensionNames { parts.append("dims") }
    if options.maximumShape != given.maximumShape { parts.append("max shape") }
    if options.fillValue != given.fillValue { parts.append("fill value") }
  }

  var text: String {
    let kept =
      parts.isEmpty
      ? "" : "; kept of the old one: \(parts.joined(separator: ", ")) (not with --drop-metadata)"
    return kept + (lost.isEmpty ? "" : "; not kept: \(lost.joined(separator: ", "))")
  }
}

/// What an import says at its end.
struct ImportSummary {
  let address: StoreAddress
  let info: DatasetInfo
  let progress: WriteProgress?
  let kept: KeptMetadata
  let elapsed: Duration

  func text(part: WritePart?, isNew: Bool) -> String {
    let skipped = progress?.skippedByteCount ?? 0
    let total = progress?.totalByteCount ?? 0
    let written = total - skipped
    if let part {
      let rest = HumanText.count(info.missingChunks, "chunk")
      let state =
        info.missingChunks == 0 ? "the data set is complete" : "\(rest) not written yet by others"
      if written == 0 { return "\(address)  part \(part): nothing to do; \(state)" }
      return "\(address)  part \(part): \(HumanText.size(written))\(time(written)); \(state)"
    }
    if !isNew, written == 0 { return "\(address) is complete already: nothing to do" }
    let continued =
      skipped > 0
      ? "; \(HumanText.size(skipped)) were there, \(HumanText.size(written)) written" : ""
    return "\(address)  \(info.description.shape) \(info.description.dataType)  "
      + "\(HumanText.size(info.logicalByteCount)) → \(HumanText.size(info.storedByteCount)) "
      + "(\(HumanText.ratio(info.ratio)))\(time(written))\(continued)\(kept.text)"
  }

  private func time(_ byteCount: Int) -> String {
    let rate = Double(byteCount) / Swift.max(elapsed / .seconds(1), 1e-9)
    return "  in \(HumanText.duration(elapsed)), "
      + "\(HumanText.size(Int(exactly: rate.rounded()) ?? 0))/s"
  }
}
