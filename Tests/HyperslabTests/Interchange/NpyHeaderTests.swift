import Hyperslab
import Testing

/// A file with a header text of the given version.
func npyFile(_ text: String, version: UInt8 = 1, elements: [UInt8] = []) -> [UInt8] {
  let count = text.utf8.count
  let length =
    version == 1
    ? [UInt8(count & 0xFF), UInt8(count >> 8)]
    : [UInt8(count & 0xFF), UInt8(count >> 8 & 0xFF), UInt8(count >> 16), 0]
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + Array(text.utf8) + elements
}

@Suite struct NpyHeaderTests {
  static let shapes: [Shape] = [
    [], [0], [7], [1, 1], [240, 37, 49], [0, 1 << 40], [1, 2, 3, 4, 5, 6],
  ]

  @Test(arguments: DataType.allCases, [ByteOrder.little, .big])
  func writtenHeadersReadBack(_ dataType: DataType, _ order: ByteOrder) throws {
    for shape in Self.shapes {
      for isFortranOrder in [false, true] {
        var header = NpyHeader(
          shape: shape, type: NumPyType(dataType, byteOrder: order), isFortranOrder: isFortranOrder)
        let bytes = try header.encoded()
        #expect(bytes.count % 64 == 0)
        #expect(bytes.last == 0x0A)
        header.byteCount = bytes.count
        #expect(try NpyHeader(parsing: bytes + [1, 2, 3]) == header)
      }
    }
  }

  @Test func headersAreNumPysOwnBytes() throws {
    let header = NpyHeader(shape: [240, 37, 49], type: NumPyType(.float32))
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (240, 37, 49), }"
    let padded = text + String(repeating: " ", count: 117 - text.utf8.count) + "\n"
    #expect(try header.encoded() == npyFile(padded))
  }

  @Test func olderAndNewerSpellingsAreRead() throws {
    let spellings: [(String, UInt8)] = [
      ("{'descr': '<i2', 'fortran_order': False, 'shape': (3L, 4L), }\n", 1),
      ("{\"shape\":(3,4),\"fortran_order\":False,\"descr\":\"i2\"}", 2),
      ("  {'descr': '=i2', 'shape': (3, 4,), 'fortran_order': False}   \n", 3),
      ("{'descr': '|i2', 'fortran_order': False, 'shape': [3, 4]}", 1),
    ]
    for (text, version) in spellings {
      let header = try NpyHeader(parsing: npyFile(text, version: version))
      #expect(header.shape == [3, 4])
      #expect(header.type == NumPyType(.int16))
      #expect(!header.isFortranOrder)
    }
  }

  @Test(arguments: [
    "'<O'", "'|S5'", "'<U3'", "'|V8'", "'<M8[ns]'", "'<m8'", "'<f16'", "'<c32'", "'<i3'", "''",
    "'<'",
    "[('x', '<f4'), ('y', '<f4')]",
  ])
  func typesWithoutAPlaceAreRefusedByName(_ descriptor: String) {
    let file = npyFile("{'descr': \(descriptor), 'fortran_order': False, 'shape': (3,), }")
    #expect { try NpyHeader(parsing: file) } throws: {
      ($0 as? HyperslabError)?.code == .unsupportedType
    }
  }

  @Test(arguments: [
    "", "3", "{", "{}", "{'descr': '<f4'}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': 1}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'shape': (4,)}",
    "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': 3}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3.0,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 4)}",
    "{'descr': 4, 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} x",
    "{'descr': '<f\\x34', 'fortran_order': False, 'shape': (3,)}",
    String(repeating: "(", count: 60_000),
  ])
  func brokenHeadersAreRefused(_ text: String) {
    #expect { try NpyHeader(parsing: npyFile(text)) } throws: {
      ($0 as? HyperslabError)?.code == .invalidArrayFile
    }
  }

  @Test func everyTruncationIsRefused() throws {
    let file = try NpyHeader(shape: [3, 4], type: NumPyType(.int16)).encoded()
    for length in file.indices {
      #expect { try NpyHeader(parsing: file.prefix(length)) } throws: {
        ($0 as? HyperslabError)?.code == .invalidArrayFile
      }
    }
  }

  /// A changed byte gives an error or a header that makes sense; it never ends the process.
  @Test func everyChangedByteIsSurvived() throws {
    let file = try NpyHeader(shape: [3, 4], type: NumPyType(.int16)).encoded()
    for position in file.indices {
      for value in UInt8.min...UInt8.max {
        var changed = file
        changed[position] = value
        guard let header = try? NpyHeader(parsing: changed) else { continue }
        #expect(header.shape.allSatisfy { $0 >= 0 })
        #expect(header.byteCount <= file.count)
      }
    }
  }
}
