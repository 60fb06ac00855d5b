/// What systems, desktops and file servers drop into every directory that they come by: nobody's
/// damage and nobody's data.
enum HarmlessFiles {
  /// Apple's Finder and its copies onto other disks, Windows' Explorer, KDE, Samba and AFP servers.
  private static let files: Set<String> = [
    ".DS_Store", ".localized", ".apdisk", ".VolumeIcon.icns", "Icon\r", ".hidden",
    "Thumbs.db", "Thumbs.db:encryptable", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini",
    "Desktop.ini", ".directory",
  ]
  /// AppleDouble files, and what NFS, FUSE, SMB and AFP keep of a file that was removed while open.
  private static let filePrefixes = ["._", ".nfs", ".fuse_hidden", ".smbdelete", ".afpDeleted"]
  /// Indexes, trash cans and thumbnails of volumes that happen to be a store.
  private static let directories: Set<String> = [
    ".Spotlight-V100", ".Trashes", ".fseventsd", ".TemporaryItems", ".DocumentRevisions-V100",
    "$RECYCLE.BIN", "System Volume Information", "@eaDir", ".@__thumb", "#recycle", "lost+found",
  ]
  private static let directoryPrefixes = [".Trash-"]

  static func contains(_ name: String, _ kind: FileKind) -> Bool {
    switch kind {
    case .file: files.contains(name) || filePrefixes.contains { name.hasPrefix($0) }
    case .directory: directories.contains(name) || directoryPrefixes.contains { name.hasPrefix($0) }
    case .other: false
    }
  }
}
