import Hyperslab

/// Tells of a commit that stands although not all of it could be brought to its place, and of what another
/// program wrote and had to make way.
func tellNotes(of store: SlabStore) {
  for (path, error) in store.unsettled.sorted(by: { $0.key < $1.key }) {
    Printer.complain(
      "slab: note: \(store.path)/\(path) is committed, but Zarr readers still see what was before: \(error). "
        + "The next writer tries again")
  }
  for name in store.setAside {
    Printer.complain(
      "slab: note: what stood where the store has nothing, or something else, is kept as "
        + "\(store.path)/\(name)")
  }
}
