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
    version: "slab \(SlabStore.version)",
    subcommands: [
      PlanCommand.self, ImportCommand.self, AppendCommand.self, ListCommand.self,
      InfoCommand.self, ReadCommand.self, ExportCommand.self, VerifyCommand.self,
      RepairCommand.self, AdoptCommand.self, AttributeCommand.self, RemoveCommand.self,
    ])

  static func main() {
    StandardStreams.prepare()
    var command: (any ParsableCommand)?
    do {
      var parsed = try parseAsRoot(NumberWords.protected(CommandWords.given()))
      command = parsed
      try parsed.run()
    } catch let error as HyperslabError {
      fail(error, of: command)
    } catch  where exitCode(for: error) == .failure && !(error is ExitCode) {
      fail(HyperslabError(.fileAccess, "\(error)"), of: command)
    } catch {
      end(error)
    }
  }

  /// Says what was asked for (help, the version) or how to use the tool, and ends.
  private static func end(_ error: any Error) -> Never {
    let code = exitCode(for: error)
    let text = fullMessage(for: error)
    if !text.isEmpty {
      if code.isSuccess {
        let printer = Printer()
        do throws(HyperslabError) {
          try printer.lines(text)
          try printer.finish()
        } catch { fail(error, of: nil) }
      } else {
        Printer.complain(text, keeping: ["\n", "\t"])
      }
    }
    exit(withError: code)
  }

  private static func fail(_ error: HyperslabError, of command: (any ParsableCommand)?) -> Never {
    // A reader that closes a pipe early, such as head, is no failure of ours; but a signal would hide
    // that a store was changed.
    if error.code == .fileAccess, error.cause as? Errno == .brokenPipe,
      !(command is any ChangingCommand)
    {
      Interrupt.end(by: SIGPIPE)
    }
    var error = error
    if error.code == .neverWritten {
      error.remedy = "Write it (an interrupted import resumes), or read with --fill-missing"
    }
    error.remedy = error.remedy.map(FlagWords.translated)
    if (command as? any JSONPrinting)?.json ?? false {
      let printer = Printer()
      try? printer.document(error.json)
      try? printer.finish()
    }
    Printer.complain("slab: \(error)")
    Interrupt.endIfCaught()
    exit(withError: ExitCode(2))
  }
}

/// What the library calls by its names, the tool calls by its flags.
enum FlagWords {
  private static let words = [
    ("Open the store for reading with followingLinks: true", "Read it with --follow-links"),
    ("insideZarr: true", "--inside-zarr"),
    ("or ask to overwrite", "or replace it with --overwrite, or continue it with --resume"),
    ("overwrite: true", "--overwrite"),
    ("call reload() or open the store again, and decide", "look at it again, and decide"),
    ("SlabStore.verify (slab verify)", "slab verify"),
    ("SlabStore.repair (slab repair)", "slab repair"),
    ("slab repair (SlabStore.repair)", "slab repair"),
    ("slab adopt (SlabStore.adopt)", "slab adopt"),
    ("--resume (resume: true)", "--resume"), ("SlabStore.repair", "slab repair"),
  ]

  /// Goes through a text once: reports have thousands of them.
  static func translated(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      let rest = bytes[position...]
      if let (old, new) = words.first(where: { rest.starts(with: $0.0.utf8) }) {
        result += new.utf8
        position += old.utf8.count
      } else {
        result.append(bytes[position])
        position += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}

/// A command that prints one JSON document instead of text for people when asked to.
protocol JSONPrinting {
  var json: Bool { get }
}

/// Selections and values that begin with a minus sign, such as `-3:` or `-5`, would be taken for options.
enum NumberWords {
  static func protected(_ words: [String]) -> [String] {
    switch words.first {
    case "read": protectedSelections(words)
    case "attr": protectedValues(words)
    default: words
    }
  }

  /// An attribute's value, such as -5 or -Infinity, and what follows it are no options: one minus sign
  /// begins only -h.
  private static func protectedValues(_ words: [String]) -> [String] {
    let isValue = { (word: String) in
      word.hasPrefix("-") && !word.hasPrefix("--") && word != "-" && word != "-h"
    }
    guard !words.contains("--"), let index = words.firstIndex(where: isValue) else { return words }
    return words[..<index] + ["--"] + words[index...]
  }

  private static func protectedSelections(_ words: [String]) -> [String] {
    let end = words.firstIndex(of: "--") ?? words.endIndex
    return words[..<end].map { word in
      let isSelection =
        word.hasPrefix("-") && word.dropFirst().first?.isNumber == true
        && word.allSatisfy { "-0123456789:,. ".contains($0) }
      return isSelection ? "[\(word)]" : word
    } + words[end...]
  }
}
