/// The promises of `ChunkedStore` and `ChunkedDataset`, one case each.
public enum StoreCheck: String, CaseIterable, Sendable, CustomStringConvertible {
  /// Creating a group makes those above it; a node in the way is `already_exists`.
  case groups
  /// A new data set carries its description, all its chunks never written.
  case creation
  /// What `DatasetDescription.validated()` refuses is refused and leaves nothing behind.
  case refusedDescriptions
  /// What no slab store could hold is refused and leaves nothing behind, whatever the store.
  case limits
  /// A data set has a name; no two names differ in letter case only.
  case names
  /// Opening gives the same data set; a group is `wrong_kind`, nothing is `not_found`.
  case opening
  /// A chunk is never written, then stored or fill-only, bit for bit, also after replacement.
  case states
  /// −0.0, NaNs and NaN payloads are fill values of their own.
  case fillValues
  /// Every type in every rank from 0 to 6 comes back bit for bit.
  case types
  /// Arrays with empty axes have no chunks and read as empty.
  case emptyArrays
  /// Writing replaces a chunk as a whole and no other.
  case replacement
  /// Elements are taken from and put into memory of any layout; nothing else in it changes.
  case layouts
  /// Any selection reads as NumPy would, reversed, stepped and dropped axes included.
  case selections
  /// A part of a chunk reads as that part; a chunk that is not stored gives the fill value.
  case chunkParts
  /// A chunk never written is refused, naming the first one touched, or gives fill if asked.
  case neverWritten
  /// Chunks and regions that are not there are `out_of_bounds`, nothing has changed then.
  case outOfBounds
  /// Memory that does not fit is `size_mismatch`, nothing has changed then.
  case memoryMismatch
  /// `prepare` changes nothing that can be read.
  case preparation
  /// Chunks written together are what they are one by one.
  case together
  /// Distinct chunks may be written and read at the same time.
  case concurrency
  /// Resizing keeps the elements of both shapes, gives fill for others, and forgets what it drops.
  case resizing
  /// A write that broke off is completed by a write that resumes.
  case resuming
  /// What was committed is there when the store is opened again.
  case reopening

  /// The name.
  public var description: String { rawValue }
}

/// A broken promise of a store: which check failed, and how.
public struct ConformanceFailure: Error, Sendable, CustomStringConvertible {
  /// The check.
  public let check: StoreCheck
  /// What did not hold, one line each.
  public let failures: [String]
  /// The seed to see it again with (`HYPERSLAB_SEED`).
  public let seed: UInt64

  /// The failures, one a line.
  public var description: String {
    "\(check) (HYPERSLAB_SEED=\(seed)):\n" + failures.map { "  " + $0 }.joined(separator: "\n")
  }
}
