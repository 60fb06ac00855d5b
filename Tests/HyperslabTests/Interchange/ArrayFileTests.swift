import Foundation
import Hyperslab
import SystemPackage
import Testing

/// Everything a source gives for a selection, by lending or by copying.
func elements(_ source: some DataChunkSource, _ selection: Selection, copies: Bool) throws
  -> [UInt8]?
{
  let size = source.dataType.byteCount
  let count = selection.shape.reduce(1, *)
  if copies {
    return try [UInt8](unsafeUninitializedCapacity: count * size) { memory, initialized in
      var output = OutputRawSpan(
        buffer: UnsafeMutableRawBufferPointer(memory), initializedCount: 0)
      try source.read(selection, into: &output)
      initialized = output.finalize(for: UnsafeMutableRawBufferPointer(memory))
    }
  }
  return try source.withBytes(of: selection) { bytes, layout in
    positions(selection.shape).flatMap { position in
      let offset = zip(position, layout.byteStrides).reduce(layout.byteOffset) { $0 + $1.0 * $1.1 }
      return (0..<size).map { bytes.unsafeLoad(fromByteOffset: offset + $0, as: UInt8.self) }
    }
  }
}

/// All positions of a shape in C order.
func positions(_ shape: Shape) -> [[Int]] {
  shape.reduce([[]]) { positions, length in
    positions.flatMap { position in (0..<length).map { position + [$0] } }
  }
}

@Suite struct ArrayFileTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  // 2 × 3 of int16: 1 2 3 / 4 5 0x0106.
  private let rows: [UInt8] = [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1]
  private let files: [(name: String, order: String, fortran: String, elements: [UInt8])] = [
    ("little C", "<", "False", [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1]),
    ("big C", ">", "False", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 1, 6]),
    ("little Fortran", "<", "True", [1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 1]),
    ("big Fortran", ">", "True", [0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 1, 6]),
  ]

  @Test func bothOrdersOfAxesAndBytesReadTheSame() throws {
    for file in files {
      let text = "{'descr': '\(file.order)i2', 'fortran_order': \(file.fortran), 'shape': (2, 3), }"
      // Odd padding: the elements need not be aligned.
      for padding in ["", " ", "\n"] {
        let path = try directory.write(
          npyFile(text + padding, elements: file.elements), to: "a.npy")
        let source = try NpyFile(path)
        #expect(source.shape == [2, 3])
        #expect(source.dataType == .int16)
        let all = Selection(all: [2, 3])
        #expect(try elements(source, all, copies: true) == rows, "\(file.name)")
        let lent = try elements(source, all, copies: false)
        #expect(lent == (file.order == "<" ? rows : nil), "\(file.name)")
        #expect(try elements(source, Selection([1..<2, 1..<3]), copies: true) == [5, 0, 6, 1])
        #expect(try elements(source, Selection([0..<2, 0..<1]), copies: true) == [1, 0, 4, 0])
      }
    }
  }

  @Test func complexNumbersSwapEachPart() throws {
    let text = "{'descr': '>c8', 'fortran_order': False, 'shape': (), }"
    let path = try directory.write(
      npyFile(text, elements: [0x3F, 0x80, 0, 0, 0xC0, 0, 0, 0]), to: "c.npy")
    let bytes = try elements(NpyFile(path), Selection(all: []), copies: true)
    #expect(bytes == [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0])
  }

  @Test func emptyAxesAreLegal() throws {
    let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 5), }"
    let source = try NpyFile(directory.write(npyFile(text), to: "e.npy"))
    #expect(source.shape == [0, 5])
    #expect(try elements(source, Selection(all: [0, 5]), copies: true) == [])
  }

  @Test func filesThatAreNotAsLongAsTheySayAreRefused() throws {
    let text = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }"
    for count in [0, 1, 11, 13, 24] {
      let bytes = [UInt8](repeating: 7, count: count)
      let path = try directory.write(npyFile(text, elements: bytes), to: "s.npy")
      #expect { try NpyFile(path) } throws: {
        ($0 as? HyperslabError)?.code == .invalidArrayFile
      }
    }
  }

  @Test func whatIsNoFileIsRefused() throws {
    for path in [directory.path, directory.path.appending("absent.npy"), "/dev/null"] {
      #expect { try NpyFile(path) } throws: { ($0 as? HyperslabError)?.code == .fileAccess }
    }
  }

  @Test func aFileThatChangesIsNoticed() throws {
    let text = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }"
    let path = try directory.write(npyFile(text, elements: rows), to: "x.npy")
    let source = try NpyFile(path)
    let handle = try #require(FileHandle(forWritingAtPath: path.string))
    try handle.truncate(atOffset: 20)
    for copies in [true, false] {
      #expect { try elements(source, Selection(all: [2, 3]), copies: copies) } throws: {
        ($0 as? HyperslabError)?.code == .sourceChanged
      }
    }
  }

  @Test func selectionsThatSpanTooMuchAreNotLent() throws {
    let text = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }"
    var source = try NpyFile(directory.write(npyFile(text, elements: rows), to: "l.npy"))
    source.residentByteLimit = 7
    let column = Selection([0..<2, 0..<1])
    #expect(try elements(source, column, copies: false) == nil)
    #expect(try elements(source, column, copies: true) == [1, 0, 4, 0])
    source.residentByteLimit = 8
    #expect(try elements(source, column, copies: false) == [1, 0, 4, 0])
  }

  /// Large enough that a copy is made in several pieces along either axis.
  @Test func largeSelectionsAreCopiedWhole() throws {
    let shape: Shape = [6000, 5000]
    let count = 30_000_000
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { memory, initialized in
      for index in 0..<count {
        memory[index] = UInt8(truncatingIfNeeded: index &* 2_654_435_761 >> 7)
      }
      initialized = count
    }
    let path = try directory.write(bytes, to: "large.bin")
    let source = try RawFile(path, type: NumPyType(.uint8), shape: shape.map { $0 })
    let selection = Selection([3..<5990, 10..<4990])
    let got = try elements(source, selection, copies: true)
    let expected = (3..<5990).flatMap { bytes[$0 * 5000 + 10..<$0 * 5000 + 4990] }
    #expect(got == expected)
  }

  @Test func rawFilesTakeTheirLengthFromTheFile() throws {
    let path = try directory.write([9, 9, 9] + rows, to: "r.bin")
    let source = try RawFile(
      path, type: NumPyType(.int16), shape: [nil, 3], skipByteCount: 3)
    #expect(source.shape == [2, 3])
    #expect(try elements(source, Selection([1..<2, 2..<3]), copies: true) == [6, 1])
    let big = try RawFile(
      path, type: NumPyType(.int16, byteOrder: .big), shape: [6], skipByteCount: 3)
    #expect(try elements(big, Selection([5..<6]), copies: true) == [1, 6])
  }

  @Test func rawFilesThatDoNotFitAreRefused() throws {
    let path = try directory.write(rows, to: "r.bin")
    let shapes: [([Int?], Int, HyperslabError.Code)] = [
      ([nil, 5], 0, .invalidArrayFile), ([7], 0, .invalidArrayFile), ([5], 0, .invalidArrayFile),
      ([6], 13, .invalidArrayFile), ([6], -1, .invalidArrayFile), ([nil, 0], 0, .invalidArrayFile),
      ([2, nil], 0, .invalidShape), ([nil, nil], 0, .invalidShape), ([-6], 0, .invalidShape),
      ([nil, 1 << 62, 4], 0, .overflow), ([1 << 62, 4], 0, .overflow),
    ]
    for (shape, skipped, code) in shapes {
      #expect {
        try RawFile(path, type: NumPyType(.int16), shape: shape, skipByteCount: skipped)
      } throws: {
        ($0 as? HyperslabError)?.code == code
      }
    }
  }

  @Test func streamsAreKeptAndVanish() throws {
    let path = try directory.write(rows, to: "stream.bin")
    let input = try FileDescriptor.open(path, .readOnly)
    let spooled = try input.closeAfter { try SpooledInput(input, in: directory.path) }
    #expect(spooled.byteCount == 12)
    let source = try spooled.rawFile(type: NumPyType(.int16), shape: [nil])
    #expect(try elements(source, Selection(all: [6]), copies: true) == rows)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory.path.string) == ["stream.bin"])
    let again = try FileDescriptor.open(path, .readOnly)
    _ = try again.closeAfter {
      #expect { try SpooledInput(again, in: directory.path, limit: 11) } throws: {
        ($0 as? HyperslabError)?.code == .invalidArrayFile
      }
    }
  }
}
