import Hyperslab

/// What an import says at its end.
struct ImportSummary {
  let address: StoreAddress
  let info: DatasetInfo
  let progress: WriteProgress?
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
      + "(\(HumanText.ratio(info.ratio)))\(time(written))\(continued)"
  }

  private func time(_ byteCount: Int) -> String {
    let rate = Double(byteCount) / Swift.max(elapsed / .seconds(1), 1e-9)
    return "  in \(HumanText.duration(elapsed)), "
      + "\(HumanText.size(Int(exactly: rate.rounded()) ?? 0))/s"
  }
}
