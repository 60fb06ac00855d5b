import Hyperslab
import Synchronization
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One line on standard error that follows a write; nothing where that is no terminal.
struct ProgressBar: Sendable {
  private let isShown: Bool

  init(isQuiet: Bool) { isShown = !isQuiet && isatty(STDERR_FILENO) == 1 }

  func show(_ progress: WriteProgress) {
    if !isShown { return }
    let width = 24
    let full = Int(Double(width) * progress.fractionCompleted)
    let bar = String(repeating: "━", count: full) + String(repeating: "┄", count: width - full)
    let percent = Int(100 * progress.fractionCompleted)
    let rate = HumanText.size(Int(exactly: progress.bytesPerSecond.rounded()) ?? 0)
    let rest = progress.remaining.map { ", \(HumanText.duration($0)) left" } ?? ""
    write(
      "\r\u{1B}[K\(bar) \(percent) %  \(HumanText.size(progress.committedByteCount)) of "
        + "\(HumanText.size(progress.totalByteCount)), \(rate)/s\(rest)")
  }

  func clear() { if isShown { write("\r\u{1B}[K") } }

  private func write(_ text: String) { _ = try? FileDescriptor.standardError.writeAll(text.utf8) }
}

/// Runs a write under a progress bar, ended by an interrupt from the keyboard.
///
/// - Returns: the last report of how far it came.
func showingProgress(
  isQuiet: Bool,
  _ write: (Cancellation, @escaping @Sendable (WriteProgress) -> Void) throws -> Void
) throws -> WriteProgress? {
  let bar = ProgressBar(isQuiet: isQuiet)
  let last = LastReport()
  defer { bar.clear() }
  try Interrupt.cancelling { cancellation in
    try write(cancellation) { report in
      last.report.withLock { $0 = report }
      bar.show(report)
    }
  }
  return last.report.withLock { $0 }
}

private final class LastReport: Sendable {
  let report = Mutex<WriteProgress?>(nil)
}
