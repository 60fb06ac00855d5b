import ArgumentParser
import CPlatform
import Hyperslab

/// The words that a command was given, without the tool's name.
enum CommandWords {
  /// As the process was started with them. Swift's own `CommandLine` reads them from /proc where there
  /// is one, and is empty where there is none, as in some containers.
  ///
  /// - Throws: `io` where they cannot be had: a command that was not read must not look done. What is
  ///   no UTF-8 is refused; with replacements it would name something else.
  static func given() throws -> [String] {
    var count: Int32 = 0
    var words = unsafe hyperslab_arguments(&count)
    if unsafe words == nil, CommandLine.argc > 0 {
      unsafe (words, count) = (UnsafePointer(CommandLine.unsafeArgv), CommandLine.argc)
    }
    guard let words = unsafe words, count > 0 else {
      throw HyperslabError(
        .fileAccess, "the arguments of this command cannot be read", at: "/proc/self/cmdline",
        remedy: "Nothing was done. Mount /proc: mount -t proc proc /proc")
    }
    return try (1..<Int(count)).compactMap { number in
      try unsafe words[number].map { try unsafe text($0, number) }
    }
  }

  private static func text(_ word: UnsafePointer<CChar>, _ number: Int) throws -> String {
    guard let text = unsafe String(validatingCString: word) else {
      let replaced = unsafe String(cString: word)
      throw ValidationError(
        "Argument \(number), \"\(replaced.visible(keeping: []))\", is not UTF-8. Rename the "
          + "file, or name it through a link.")
    }
    guard text.isStreamSafe else {
      throw ValidationError(
        "Argument \(number) has more than 30 combining marks in a row, which no text of a store may have."
      )
    }
    return text
  }
}
