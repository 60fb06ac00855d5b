@testable import HyperslabFormat

extension Mutant {
  /// Mistakes in what lets replaced and removed data sets change places and tells Zarr readers of it.
  static let ofChangingPlaces: [Mutant] = [
    .without("exchange") { operation, _ in operation.changesPlaces },
    .without("the mark of what has yet to take its place") { operation, _ in
      operation.isArrivalMark
    }.seen(.recovering),
    .without("fsync of derived files") { operation, _ in
      operation.kind == .synchronize && operation.isTemporaryDocument
    },
    .without("derived files") { operation, _ in operation.placesDocument },
    .without("fsync of directories of derived files") {
      $1 == .after && ($0.syncsRoot || $0.syncsNode)
    },
    .early(
      "data sets change places before the commit is permanent",
      { operation, _ in operation.changesPlaces },
      before: isPublished),
    .late(
      "what others say of them taken out after they change places",
      { $1 == .after && $0.placesDocument }, after: { operation, _ in operation.removesArrivalMark }
    ),
    .late(
      "exchange fsynced after the mark is gone",
      { $1 == .after && ($0.syncsRoot || $0.syncsNode) },
      after: { operation, _ in operation.removesArrivalMark }
    ).seen(.recovering),
    .late(
      "derived files after success is reported", { $1 == .after && $0.placesDocument },
      after: { operation, _ in operation.isAcknowledgement }),
    .late(
      "derived files fsynced after success is reported",
      { operation, _ in operation.kind == .synchronize && operation.isTemporaryDocument },
      after: { operation, _ in operation.isAcknowledgement }),
  ]

  private static let isPublished: Match = { $1 == .publish && $0.syncsRoot }
}
