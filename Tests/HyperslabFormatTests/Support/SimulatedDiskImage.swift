/// What a simulated disk holds: directories and files by number, names only in directories.
struct DiskImage: Sendable {
  struct File: Sendable {
    var bytes: [UInt8] = []
    /// What the last fsync made permanent.
    var durable: [UInt8] = []
    var isDirty = false
    /// After a failed fsync the pages count as clean although they never reached the disk.
    var isLost = false
  }

  /// A new value of one name in one directory; nil removes it.
  struct Entry: Sendable {
    let directory: Int
    let name: String
    let number: Int?
  }

  static let root = 0

  var directories: [Int: [String: Int]] = [root: [:]]
  var files: [Int: File] = [:]

  mutating func apply(_ entries: [Entry]) {
    for entry in entries { directories[entry.directory, default: [:]][entry.name] = entry.number }
  }

  /// Everything on the disk by path, for messages; directories end in a slash.
  var listing: [String] {
    var lines: [String] = []
    func visit(_ directory: Int, _ place: String) {
      for (name, number) in directories[directory] ?? [:] {
        if directories[number] != nil {
          lines.append("\(place)\(name)/")
          visit(number, "\(place)\(name)/")
        } else {
          lines.append("\(place)\(name) \(files[number]?.bytes.count ?? 0)")
        }
      }
    }
    visit(Self.root, "")
    return lines.sorted()
  }
}

extension DiskImage {
  /// A number that differs where names or contents differ, equal for equal disks whatever their
  /// numbers are.
  var fingerprint: UInt64 {
    var sum: UInt64 = 0
    func visit(_ directory: Int, _ place: UInt64) {
      for (name, number) in directories[directory] ?? [:] {
        let here = hash(name.utf8, place)
        if directories[number] != nil {
          sum &+= mixed(here &+ 1)
          visit(number, here)
        } else {
          sum &+= mixed(hash(files[number]?.bytes ?? [], here &+ 2))
        }
      }
    }
    visit(Self.root, 0x9E37_79B9_7F4A_7C15)
    return sum
  }
}

private func hash(_ bytes: some Sequence<UInt8>, _ start: UInt64) -> UInt64 {
  var value = start
  for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
  return mixed(value)
}

func mixed(_ value: UInt64) -> UInt64 {
  var value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
  value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
  return value ^ value >> 31
}
