import ArgumentParser
import Hyperslab
import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

@main
struct SlabCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "slab",
    abstract: "Plans, writes, reads and checks chunked arrays in slab stores.",
    discussion: """
      A data set is addressed as a path through its store: recording.slab/ecephys/lfp.
      Shapes are written 20000,5000; selections as in NumPy: 0:10,5,:,::2,-3:,...

      Exit codes: 0 done, 1 the answer is no, 2 the operation failed, 64 wrong usage.
      """,
    subcommands: [
      PlanCommand.self, ImportCommand.self, AppendCommand.self, ListCommand.self,
      InfoCommand.self, ReadCommand.self, ExportCommand.self, VerifyCommand.self,
      RepairCommand.self, AdoptCommand.self, AttributeCommand.self, RemoveCommand.self,
    ])

  static func main() {
    // A reader that closes a pipe early, such as head, is no failure of ours.
    signal(SIGPIPE, SIG_DFL)
    var printsJSON = false
    do {
      var command = try parseAsRoot(
        SelectionWords.protected(Array(CommandLine.arguments.dropFirst())))
      printsJSON = (command as? any JSONPrinting)?.json ?? false
      try command.run()
    } catch let error as HyperslabError {
      fail(error, printsJSON: printsJSON)
    } catch  where exitCode(for: error) == .failure && !(error is ExitCode) {
      fail(HyperslabError(.fileAccess, "\(error)"), printsJSON: printsJSON)
    } catch {
      exit(withError: error)
    }
  }

  private static func fail(_ error: HyperslabError, printsJSON: Bool) -> Never {
    var error = error
    if error.code == .neverWritten {
      error.remedy = "Write it (an interrupted import resumes), or read with --fill-missing"
    }
    if printsJSON { print(error.json.text()) }
    printToStandardError("slab: \(error)")
    exit(withError: ExitCode(2))
  }
}

/// A command that prints one JSON document instead of text for people when asked to.
protocol JSONPrinting {
  var json: Bool { get }
}

func printToStandardError(_ line: String) {
  _ = try? FileDescriptor.standardError.writeAll((line + "\n").utf8)
}

/// Selections that begin with a minus sign, such as `-3:`, would be taken for options.
enum SelectionWords {
  static func protected(_ words: [String]) -> [String] {
    guard let verb = words.first, ["read", "export"].contains(verb) else { return words }
    return words.map { word in
      let isSelection =
        word.hasPrefix("-") && word.dropFirst().first?.isNumber == true
        && word.allSatisfy { "-0123456789:,. ".contains($0) }
      return isSelection ? "[\(word)]" : word
    }
  }
}
