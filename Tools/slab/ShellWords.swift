/// Words as a shell takes them, for remedies that are typed as they are shown.
enum ShellWords {
  private static let plain = Set(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./+,:@%=".utf8)

  /// A word in quotes, where it needs them.
  static func quoted(_ word: String) -> String {
    if !word.isEmpty, word.utf8.allSatisfy({ plain.contains($0) || $0 >= 0x80 }) { return word }
    return "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
