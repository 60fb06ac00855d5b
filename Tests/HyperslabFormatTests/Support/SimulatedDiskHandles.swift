import HyperslabCore
import Synchronization

@testable import HyperslabFormat

/// An open file of a simulated disk; it stays readable when its name goes.
final class SimulatedFile: FileHandle {
  private let core: SimulatedDiskCore
  private let number: Int
  private let path: StorePath
  private let isOpen = Mutex(true)
  let byteCount: Int

  init(
    _ core: SimulatedDiskCore, _ number: Int, _ path: StorePath, byteCount: Int,
    _ state: inout SimulatedDiskCore.State
  ) {
    self.core = core
    self.number = number
    self.path = path
    self.byteCount = byteCount
    state.openFiles += 1
  }

  deinit { release() }

  private func release() {
    let wasOpen = isOpen.withLock { isOpen in
      defer { isOpen = false }
      return isOpen
    }
    if wasOpen { core.state.withLock { $0.openFiles -= 1 } }
  }

  func read(
    at offset: Int, into memory: UnsafeMutableRawBufferPointer
  ) throws(HyperslabError) -> Int {
    try core.call(.read, path) { (state, fault) throws(HyperslabError) in
      let bytes = (state.image.files[number]?.bytes ?? []).dropFirst(offset).prefix(memory.count)
      let part = fault == .shortRead ? bytes.prefix(bytes.count / 2) : bytes
      memory.copyBytes(from: part)
      return part.count
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(HyperslabError) {
    try core.call(.write, path) { (state, fault) throws(HyperslabError) in
      if let fault, fault != .shortWrite { throw fault.error(path) }
      let part = fault == .shortWrite ? bytes.prefix(bytes.count / 2) : bytes[...]
      var contents = state.image.files[number]?.bytes ?? []
      let gap = offset + part.count - contents.count
      if gap > 0 { contents += Array(repeating: 0, count: gap) }
      contents.replaceSubrange(offset..<offset + part.count, with: part)
      state.note(
        DiskOperation(
          kind: .write, path: path, change: .contents(file: number, bytes: contents)))
      if let fault { throw fault.error(path) }
    }
  }

  func synchronize() throws(HyperslabError) {
    try core.call(.synchronize, path) { (state, fault) throws(HyperslabError) in
      if let fault {
        // The kernel forgets that the pages were dirty: no later fsync saves them.
        state.image.files[number]?.isLost = true
        throw fault.error(path)
      }
      guard state.image.files[number]?.isLost != true else { return }
      state.note(
        DiskOperation(kind: .synchronize, path: path, change: .synchronizedFile(number)))
    }
  }

  func close() throws(HyperslabError) {
    try core.call(.close, path) { (state, fault) throws(HyperslabError) in
      let wasOpen = isOpen.withLock { isOpen in
        defer { isOpen = false }
        return isOpen
      }
      if wasOpen { state.openFiles -= 1 }
      if let fault { throw fault.error(path) }
    }
  }
}

/// A lock on a file of a simulated disk.
final class SimulatedLock: FileLock {
  private let core: SimulatedDiskCore
  private let number: Int
  private let path: StorePath
  private let isHeld = Mutex(true)

  init(_ core: SimulatedDiskCore, _ number: Int, _ path: StorePath) {
    self.core = core
    self.number = number
    self.path = path
  }

  func describe(_ text: String) {
    core.state.withLock {
      $0.note(
        DiskOperation(
          kind: .write, path: path, change: .contents(file: number, bytes: Array(text.utf8))))
    }
  }

  deinit { release() }

  func release() {
    let wasHeld = isHeld.withLock { isHeld in
      defer { isHeld = false }
      return isHeld
    }
    guard wasHeld else { return }
    core.state.withLock { state in
      state.locked.remove(number)
      state.openFiles -= 1
    }
    core.waiting.withLock { $0 }?.wake()
  }
}
