import ArgumentParser
import CPlatform
import Hyperslab
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The one way of a command's words to standard output: nothing in names, units or attributes acts on the
/// terminal, and a write that failed fails the command.
final class Printer {
  private let output = OutputFile(stream: .standardOutput)

  /// Prints one line for people.
  func line(_ text: String) throws(HyperslabError) { try output.write(text.visible + "\n") }

  /// Prints a table for people.
  func table(_ table: TextTable) throws(HyperslabError) {
    for line in table.lines { try self.line(line) }
  }

  /// Prints a JSON document.
  func document(_ value: JSONValue, pretty: Bool = false) throws(HyperslabError) {
    try output.write(value.text(pretty: pretty) + "\n")
  }

  /// Prints several lines that were written for people, such as help.
  func lines(_ text: String) throws(HyperslabError) {
    try output.write(text.visible(keeping: ["\n", "\t"]) + "\n")
  }

  /// Sends what was printed.
  func finish() throws(HyperslabError) { try output.finish() }

  /// Prints lines on standard error, where nobody can be told of a failure.
  static func complain(_ text: String, keeping kept: Set<Unicode.Scalar> = []) {
    _ = try? FileDescriptor.standardError.writeAll((text.visible(keeping: kept) + "\n").utf8)
  }
}

/// A command that prints.
protocol PrintingCommand: ParsableCommand {
  func run(_ printer: Printer) throws
}

extension PrintingCommand {
  func run() throws {
    let printer = Printer()
    let result = Result { try run(printer) }
    try printer.finish()
    try result.get()
  }
}

/// The three standard streams, as a process should find them.
enum StandardStreams {
  static func prepare() {
    // One that is closed would be the number of the next file that is opened, and what is printed would
    // go into that. Opened the wrong way round it is in the way, and reading or writing it fails.
    for (descriptor, flags) in [(0, O_WRONLY), (1, O_RDONLY), (2, O_RDONLY)]
    where fcntl(Int32(descriptor), F_GETFD) == -1 && errno == EBADF {
      _ = unsafe open("/dev/null", flags)
    }
    // A pipe that nobody reads any more is told by the write, so that what is half done is put in order.
    signal(SIGPIPE, SIG_IGN)
    // So is a limit of the size of files.
    signal(SIGXFSZ, SIG_IGN)
    hyperslab_spare_address_space()
  }
}
