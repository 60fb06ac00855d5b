import HyperslabCodecs
import HyperslabCore

// The indexes that are kept, the lock, and the derived metadata.

extension Look {
  /// Whether `slab.json` is older than an index that the store keeps under its number.
  func newest() -> Finding? {
    do throws(HyperslabError) {
      guard let newer = try NewerIndex.newest(files, snapshot.cache, than: index) else {
        return nil
      }
      return Finding(StoreLayout.index, .index, newer.error(found: index))
    } catch { return Finding(StoreLayout.reserved, .index, error) }
  }

  /// One of the two indexes before the newest, and the runs that only it lists: what repair would fall
  /// back to.
  func keptIndex(_ commit: Int) -> [Finding] {
    guard index.keptCommits.contains(commit) else { return [] }
    let path = StoreLayout.oldIndex(commit: commit)
    let old: StoreIndex
    do throws(HyperslabError) {
      old = try KeptIndex.read(path, files, snapshot.cache).index
    } catch {
      if error.code == .missing {
        let gone = HyperslabError(.missing, "the index kept of commit \(commit) is not there")
        return [Finding(path, .missing, gone)]
      }
      return [Finding(path, .index, error)]
    }
    let known = Set(
      index.datasets.flatMap { _, record in
        record.runs.map { StoreLayout.run(record.tableDirectory, $0) }
      })
    var findings: [Finding] = []
    for (_, record) in old.datasets {
      for reference in record.runs {
        let file = StoreLayout.run(record.tableDirectory, reference)
        if known.contains(file) { continue }
        do throws(HyperslabError) {
          let bytes = try files.contents(file, limit: StoreIndex.maximumFileByteCount)
          if bytes.count == reference.byteCount, CRC32C.of(bytes) == reference.crc { continue }
        } catch {
          if error.leavesUnchecked {
            findings.append(Finding(file, .table, error))
            continue
          }
        }
        let error = HyperslabError(
          .damagedTable, "a run that a kept older index lists is missing or damaged")
        findings.append(Finding(file, .table, error))
      }
    }
    return findings
  }

  /// The copy of the newest index: where nobody is at work it is there and whole.
  func copy(_ commit: Int) -> Finding? {
    guard index.commit == commit else { return nil }
    let path = StoreLayout.oldIndex(commit: commit)
    let restores = "SlabStore.repair (slab repair), or the next writer, copies it again"
    let newest: [UInt8]
    do throws(HyperslabError) {
      newest = try files.contents(StoreLayout.index, limit: StoreIndex.maximumFileByteCount)
    } catch { return nil }
    do throws(HyperslabError) {
      let found = try files.contents(path, limit: StoreIndex.maximumFileByteCount)
      if found == newest { return nil }
      // Of a commit that was made meanwhile.
      let now = try? snapshot.cache.indexes.older(newest, place: "slab.json")
      guard now?.index.commit == commit else { return nil }
      if hasWork || !index.isCopied { return .leftover("\(path)") }
      let error = HyperslabError(
        .damagedIndex, "is not the copy of the newest index", remedy: restores)
      return Finding(path, .index, error)
    } catch {
      if error.code != .missing { return Finding(path, .index, error) }
      if hasWork || !index.isCopied { return nil }
      let gone = HyperslabError(
        .missing, "the copy of the newest index is not there", remedy: restores)
      return Finding(path, .missing, gone)
    }
  }

  func lock() -> Finding? {
    let status: FileStatus?
    do throws(HyperslabError) { status = try files.status(StoreLayout.lock) } catch {
      return Finding(StoreLayout.lock, .foreign, error)
    }
    guard let status else {
      let error = HyperslabError(.missing, "the lock file is not there")
      return Finding(StoreLayout.lock, .missing, error)
    }
    guard status.kind == .file else {
      return Finding(StoreLayout.lock, .foreign, HyperslabError(.foreign, "the lock is no file"))
    }
    do throws(HyperslabError) {
      if try files.hasOwnLock() { return nil }
      return Finding(StoreLayout.lock, .foreign, "nothing of the store's. Move it elsewhere")
    } catch { return Finding(StoreLayout.lock, .foreign, error) }
  }

  // MARK: - Derived files

  /// A derived file that is not what the index implies. A commit writes it last, so that one at work or
  /// cut short explains it, but not what another program wrote there.
  func derived(_ path: NodePath) -> Finding? {
    guard let wanted = documents[path] else { return nil }
    let file = StoreLayout.zarr(path)
    // Mostly it is; only then is it worth the while to ask what else it may be.
    if let found = try? files.contents(file, limit: wanted.count), found == wanted { return nil }
    switch found.states(files, snapshot)[path] {
    // What does not say what the index leaves open says nothing else.
    case .same, .plain, nil: return nil
    case .missing:
      return hasWork
        ? .leftover("\(file)")
        : Finding(
          file, .missing, HyperslabError(.missing, "is not there", remedy: Self.derivesAgain))
    case .outdated:
      return hasWork
        ? .leftover("\(file)")
        : Finding(
          file, .stale,
          HyperslabError(
            .damagedIndex, "of an earlier commit",
            remedy: "The next writer that changes it derives it again, and so does slab repair"))
    case .junk:
      return hasWork
        ? .leftover("\(file)")
        : Finding(
          file, .stale,
          HyperslabError(.damagedIndex, "no Zarr metadata", remedy: Self.derivesAgain))
    case .foreign:
      let error = HyperslabError(
        .foreign, "another program rewrote the derived metadata",
        remedy: "slab adopt takes in what it says, or says why it cannot; until then it stays "
          + "as it is")
      return Finding(file, .stale, error)
    case .unreadable(let error):
      return Finding(file, error.code == .foreign ? .foreign : .stale, error)
    }
  }

  private static let derivesAgain = "The next writer derives it again"
}
