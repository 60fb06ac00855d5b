import HyperslabCore
import Testing

@Suite struct ElementBufferTests {
  @Test(arguments: [0, 1, 63, 64, 4096, 5 << 20])
  func memoryOfTheAskedSizeAligned(_ byteCount: Int) {
    let buffer = ElementBuffer(byteCount: byteCount)
    #expect(buffer.byteCount == byteCount)
    #expect(Int(bitPattern: buffer.pointer) % 64 == 0)
    buffer.withMutableBytes { (bytes: inout MutableRawSpan) in
      #expect(bytes.byteCount == byteCount)
      bytes.withUnsafeMutableBytes { for index in $0.indices { $0[index] = UInt8(index % 251) } }
    }
    buffer.withBytes { (bytes: RawSpan) in
      bytes.withUnsafeBytes { memory in
        #expect(memory.indices.allSatisfy { memory[$0] == UInt8($0 % 251) })
      }
    }
  }

  @Test func fillingSaysHowMuch() {
    let buffer = ElementBuffer(byteCount: 16)
    let count = buffer.fill(upTo: 8) { (output: inout OutputRawSpan) in
      output.append(UInt16(0x0201), as: UInt16.self)
      output.append(UInt8(3), as: UInt8.self)
    }
    #expect(count == 3)
    buffer.withBytes { (bytes: RawSpan) in
      #expect((0..<3).map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) } == [1, 2, 3])
    }
  }
}
