import HyperslabTestSupport

extension CrashMoment {
  /// Which pending steps survive: all sets where they are few, else the telling ones (each alone
  /// lost, each alone kept, the newest in every combination) and as many random ones.
  func survivors(
    _ loss: MetadataLoss, limit: Int, using generator: inout SeededGenerator
  ) -> [[Bool]] {
    let count = pending.count
    if loss == .orderedJournal {
      return (0...count).map { kept in (0..<count).map { $0 < kept } }
    }
    if count < 20, 1 << count <= limit {
      return (0..<1 << count).map { bits in (0..<count).map { bits >> $0 & 1 == 1 } }
    }
    var sets = [Array(repeating: false, count: count), Array(repeating: true, count: count)]
    for one in (0..<count).reversed() {
      for isKept in [true, false] {
        sets.append((0..<count).map { ($0 == one) == isKept })
      }
    }
    while sets.count < limit { sets.append(randomSurvivors(.arbitrary, using: &generator)) }
    return Array(sets.prefix(limit))
  }

  /// One set of surviving steps.
  func randomSurvivors(_ loss: MetadataLoss, using generator: inout SeededGenerator) -> [Bool] {
    let count = pending.count
    if loss == .orderedJournal {
      let kept = Int.random(in: 0...count, using: &generator)
      return (0..<count).map { $0 < kept }
    }
    // Uniform sets of many steps are all alike; most accidents keep or lose nearly all.
    let odds = [1, 4, 8, 12, 15].randomElement(using: &generator) ?? 8
    let free = Int.random(in: 0...count, using: &generator)
    let rest = generator.chance(1, in: 2)
    return (0..<count).map { $0 < count - free ? rest : generator.chance(odds, in: 16) }
  }

  /// What the files that were not fsynced may hold, each as a list of what happened to the files
  /// in turn: all combinations where they are few, else each alone, all alike, and random ones.
  func contentLosses(
    files: Int, limit: Int, using generator: inout SeededGenerator
  ) -> [[ContentLoss]] {
    let all = ContentLoss.allCases
    if files < 8, 1 << (2 * files) <= limit {
      return (0..<1 << (2 * files)).map { bits in (0..<files).map { all[bits >> (2 * $0) & 3] } }
    }
    var lists = all.map { Array(repeating: $0, count: files) }
    for one in (0..<files).reversed() {
      for loss in all.dropFirst() { lists.append((0..<files).map { $0 == one ? loss : .full }) }
    }
    while lists.count < limit {
      lists.append((0..<files).map { _ in all.randomElement(using: &generator) ?? .full })
    }
    return Array(lists.prefix(limit))
  }

  /// The disks that a power cut may leave, not all of them different.
  func states(
    _ loss: MetadataLoss, names: Int, contents: Int, using generator: inout SeededGenerator
  ) -> [DiskImage] {
    var images: [DiskImage] = []
    for isKept in survivors(loss, limit: names, using: &generator) {
      let files = dirtyCount(keeping: isKept)
      for losses in contentLosses(files: files, limit: contents, using: &generator) {
        images.append(image(keeping: isKept, contents: { losses[$0] }, using: &generator))
      }
    }
    return images
  }

  /// So many of the disks that a power cut may leave, their names all different.
  func sample(
    _ loss: MetadataLoss, _ count: Int, using generator: inout SeededGenerator
  ) -> [DiskImage] {
    let sets = survivors(loss, limit: 1024, using: &generator).shuffled(using: &generator)
    return sets.prefix(count).map { isKept in
      let lists = contentLosses(
        files: dirtyCount(keeping: isKept), limit: 16, using: &generator)
      let losses = lists.randomElement(using: &generator) ?? []
      return image(keeping: isKept, contents: { losses[$0] }, using: &generator)
    }
  }

  /// One of the disks that a power cut may leave.
  func randomState(using generator: inout SeededGenerator) -> DiskImage {
    let loss = MetadataLoss.allCases.randomElement(using: &generator) ?? .arbitrary
    let isKept = randomSurvivors(loss, using: &generator)
    var other = generator
    let same = ContentLoss.allCases.randomElement(using: &other)
    let isUniform = generator.chance(1, in: 2)
    let count = dirtyCount(keeping: isKept)
    let losses = (0..<count).map { _ in
      (isUniform ? same : ContentLoss.allCases.randomElement(using: &generator)) ?? .full
    }
    return image(keeping: isKept, contents: { losses[$0] }, using: &generator)
  }
}
