import HyperslabCore

@testable import HyperslabFormat

/// What may go wrong in a call to a simulated disk.
enum DiskFault: String, Sendable, CaseIterable {
  case noSpace = "ENOSPC"
  case inputOutput = "EIO"
  case interrupted = "EINTR"
  case otherDevice = "EXDEV"
  /// Half of the bytes reach the file, then the disk is full.
  case shortWrite = "short write"
  /// Fewer bytes come than the file has.
  case shortRead = "short read"
  case failedSynchronize = "failing fsync"
  case failedClose = "failing close"

  /// Whether such a call can fail so.
  func canHit(_ kind: DiskCall.Kind) -> Bool {
    switch self {
    case .noSpace:
      [.create, .write, .rename, .exchange, .link, .makeDirectory, .lock].contains(kind)
    case .inputOutput: true
    case .interrupted: [.open, .create, .lock, .synchronize, .close].contains(kind)
    case .otherDevice: [.rename, .exchange, .link].contains(kind)
    case .shortWrite: kind == .write
    case .shortRead: kind == .read
    case .failedSynchronize:
      [.synchronize, .synchronizeDirectory, .synchronizeAll].contains(kind)
    case .failedClose: kind == .close
    }
  }

  func error(_ path: StorePath) -> HyperslabError {
    let code: HyperslabError.Code =
      switch self {
      case .noSpace, .shortWrite: .noSpace
      default: .io
      }
    return HyperslabError(code, "simulated \(rawValue)", at: "\(path)")
  }
}

/// A call to a simulated disk, whether it changes anything or not.
struct DiskCall: Sendable {
  enum Kind: String, Sendable {
    case open, read, create, write, synchronize, close, rename, exchange, link, remove,
      makeDirectory
    case removeDirectory, list, synchronizeDirectory, synchronizeAll, status, lock
  }

  let kind: Kind
  let path: StorePath
}
