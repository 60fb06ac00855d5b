import HyperslabTestSupport

@testable import HyperslabFormat

/// What a power cut may do to names that were not fsynced.
enum MetadataLoss: CaseIterable, Sendable {
  /// The file system's journal loses the last of them, in order.
  case orderedJournal
  /// Any of them are lost, as POSIX allows.
  case arbitrary
}

/// What a power cut may leave of a file that was not fsynced.
enum ContentLoss: CaseIterable, Sendable {
  case full
  /// What the last fsync left; nothing if there was none.
  case empty
  /// A beginning of it.
  case torn
  /// Its length, but one block of the disk holds zeros or what was there before.
  case staleBlock
}

/// A moment at which the power may be cut: what is sure to be on the disk, and what may be.
///
/// fsync of a directory makes sure what was done to the names in it; a rename is one step and is
/// sure once the directory of the new name is. The names that are sure stay so even where the
/// journal loses earlier ones, which asks more of a writer than any journal does.
struct CrashMoment: Sendable {
  /// The names that are sure, and the contents of all files that ever were.
  private var base: DiskImage
  /// Steps that may be lost, oldest first.
  private(set) var pending: [Step] = []
  /// What success was reported for last.
  private(set) var acknowledged = 0
  /// What may be there already although nobody was told.
  private(set) var begun = 0
  /// How many operations were done.
  private(set) var point = 0

  struct Step: Sendable {
    var entries: [DiskImage.Entry]
    let durableWith: Int
  }

  private struct Slot: Hashable {
    let directory: Int
    let name: String

    init(_ entry: DiskImage.Entry) {
      directory = entry.directory
      name = entry.name
    }
  }

  init(_ start: DiskImage) { base = start }

  /// Every moment of a trace, the first before anything was done.
  static func all(of trace: DiskTrace) -> [CrashMoment] {
    var moments = [CrashMoment(trace.start)]
    var moment = moments[0]
    for operation in trace.operations {
      moment.advance(operation)
      moments.append(moment)
    }
    return moments
  }

  private mutating func advance(_ operation: DiskOperation) {
    point += 1
    switch operation.change {
    case .names(let entries, let directory):
      if let made = operation.made {
        if operation.kind == .makeDirectory {
          base.directories[made] = [:]
        } else {
          base.files[made] = .init()
        }
      }
      pending.append(Step(entries: entries, durableWith: directory))
    case .synchronizedDirectory(let directory): secure(directory)
    case .synchronizedAll:
      for step in pending { base.apply(step.entries) }
      pending = []
      base.carryOut(operation)
    case .begun(let outcome): begun = outcome
    case .acknowledged(let outcome): (acknowledged, begun) = (outcome, outcome)
    case .contents, .synchronizedFile, .nothing: base.carryOut(operation)
    }
  }

  private mutating func secure(_ directory: Int) {
    guard let last = pending.lastIndex(where: { $0.durableWith == directory }) else { return }
    var sure: [Slot: Int] = [:]
    for (index, step) in pending.enumerated() where step.durableWith == directory {
      for entry in step.entries { sure[Slot(entry)] = index }
      base.apply(step.entries)
    }
    // What happened to a name before the last thing that is sure of it makes no difference.
    for index in 0...last {
      pending[index].entries.removeAll { sure[Slot($0)].map { $0 > index } ?? false }
    }
    pending.removeAll { $0.durableWith == directory || $0.entries.isEmpty }
  }

  // MARK: - What may be left

  /// The disk with some of the pending steps and, of each file that was not fsynced, a variant.
  func image(
    keeping isKept: [Bool], contents: (Int) -> ContentLoss, using generator: inout SeededGenerator
  ) -> DiskImage {
    var image = names(keeping: isKept)
    for (rank, number) in dirty(image).enumerated() {
      guard let file = base.files[number] else { continue }
      image.files[number]?.bytes = left(of: file, contents(rank), &generator)
    }
    image.files = image.files.mapValues { .init(bytes: $0.bytes, durable: $0.bytes) }
    return image
  }

  /// How many files that can be reached are not fsynced.
  func dirtyCount(keeping isKept: [Bool]) -> Int { dirty(names(keeping: isKept)).count }

  private func dirty(_ image: DiskImage) -> [Int] {
    image.files.filter { $0.value.isDirty && !$0.value.bytes.isEmpty }.map(\.key).sorted()
  }

  /// What can be reached from the root.
  private func names(keeping isKept: [Bool]) -> DiskImage {
    var all = base
    for (step, isKept) in zip(pending, isKept) where isKept { all.apply(step.entries) }
    var image = DiskImage(directories: [:])
    var waiting = [DiskImage.root]
    while let directory = waiting.popLast() {
      guard image.directories[directory] == nil, let names = all.directories[directory] else {
        continue
      }
      image.directories[directory] = names
      for number in names.values {
        if let file = all.files[number] {
          image.files[number] = file
        } else {
          waiting.append(number)
        }
      }
    }
    return image
  }

  private func left(
    of file: DiskImage.File, _ loss: ContentLoss, _ generator: inout SeededGenerator
  ) -> [UInt8] {
    switch loss {
    case .full: return file.bytes
    case .empty: return file.durable
    case .torn:
      return Array(file.bytes.prefix(Int.random(in: 0..<file.bytes.count, using: &generator)))
    case .staleBlock:
      var bytes = file.bytes
      let block = 512 * Int.random(in: 0...(bytes.count - 1) / 512, using: &generator)
      let isOld = generator.chance(1, in: 2)
      for index in block..<Swift.min(block + 512, bytes.count) {
        bytes[index] = isOld && index < file.durable.count ? file.durable[index] : 0
      }
      return bytes
    }
  }
}
