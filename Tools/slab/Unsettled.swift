import Hyperslab

/// Tells of a commit that stands although not all of it could be brought to its place.
func warnUnsettled(_ store: SlabStore) {
  for (path, error) in store.unsettled.sorted(by: { $0.key < $1.key }) {
    Printer.complain(
      "slab: note: \(store.path)/\(path) is committed, but Zarr readers still see what was before: \(error). "
        + "The next writer tries again")
  }
}
