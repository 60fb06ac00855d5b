import Foundation
import Testing

@Suite struct PlanTests {
  @Test func theTutorialsPlan() throws {
    let answer = try Tool.run(
      "plan --shape 20000,5000 --dtype int32 --buffer-gb 0.2 --threads 2 --selections 3")
    #expect(answer.code == 0)
    #expect(
      answer.output == """
        array   (20000, 5000)   400 MB  int32
        chunk   (3160, 790)    9.99 MB  49 chunks
        buffer  (12640, 3160)   160 MB  4 buffers
        memory                  165 MB  at most
        [0:12640, 0:3160]
        [0:12640, 3160:5000]
        [12640:20000, 0:3160]

        """)
    #expect(answer.errors.isEmpty)
  }

  @Test func jsonHasEveryFieldOfTheContract() throws {
    let answer = try Tool.run(
      "plan --shape 20000,5000 --dtype int32 --buffer-gb 0.2 --threads 2 --selections all --json")
    #expect(answer.code == 0)
    #expect(
      answer.output == """
        {"shape": [20000, 5000], "dtype": "int32", "chunk_shape": [3160, 790], \
        "buffer_shape": [12640, 3160], "buffer_count": 4, "chunk_count": 49, \
        "peak_memory_bytes": 165012480, "selections": [[[0, 12640], [0, 3160]], \
        [[0, 12640], [3160, 5000]], [[12640, 20000], [0, 3160]], [[12640, 20000], [3160, 5000]]], \
        "warnings": []}

        """)
  }

  @Test func whatIsBeyond64BitsIsNull() throws {
    let answer = try Tool.run(
      "plan --shape 9223372036854775807,9223372036854775807 --dtype int8 --chunk-shape 1,1 "
        + "--buffer-shape 9223372036854775807,9223372036854775807 --json")
    let plan = try json(answer.output)
    #expect(answer.code == 0)
    #expect(plan["chunk_count"] is NSNull)
    #expect(plan["peak_memory_bytes"] is NSNull)
    #expect(plan["buffer_count"] as? Int == 1)
  }

  @Test(arguments: [
    ("--buffer-gb 1 --buffer-shape 10,4", "buffer_gb_and_shape"),
    ("--chunk-mb 1 --chunk-shape 10,4", "chunk_mb_and_shape"),
    ("--buffer-gb 0", "nonpositive_buffer_gb"), ("--chunk-mb -1", "nonpositive_chunk_mb"),
    ("--buffer-shape 0,4", "nonpositive_buffer"), ("--chunk-shape 0,4", "nonpositive_chunk"),
    ("--chunk-shape 101,4", "chunk_exceeds_data"), ("--buffer-shape 101,4", "buffer_exceeds_data"),
    ("--chunk-shape 10,4 --buffer-shape 5,4", "chunk_exceeds_buffer"),
    ("--chunk-shape 10,4 --buffer-shape 25,4", "chunk_not_dividing_buffer"),
    ("--chunk-shape 10", "invalid_shape"), ("--chunk-shape 99999999999999999999,1", "overflow"),
  ])
  func refusalsSayTheirCode(_ options: String, _ code: String) throws {
    let line = "plan --shape 100,4 --dtype float32 \(options)"
    let machine = try Tool.run(line + " --json")
    #expect(machine.code == 2)
    #expect(try json(machine.output)["error"] as? String == code)
    let person = try Tool.run(line)
    #expect(person.code == 2)
    #expect(person.output.isEmpty)
    #expect(person.errorLine.hasPrefix("slab: "))
    #expect(person.errors.split(separator: "\n").count == 1)
  }

  @Test(arguments: [
    "plan", "plan --shape 3", "plan --dtype int8", "plan --shape 3,x --dtype int8",
    "plan --shape 3 --dtype int9", "plan --shape 3 --dtype int8 --chunk-mb many",
    "plan --shape 3 --dtype int8 --selections -1", "plan --batch x --shape 3", "nonsense",
    "plan --nonsense", "import", "import x.npy", "import x.bin s.slab/x --raw", "read",
    "import x.npy s.slab/x --level 13", "import x.npy s.slab/x --dtype int8",
  ])
  func wrongUsageIs64(_ line: String) throws {
    let answer = try Tool.run(line)
    #expect(answer.code == 64, "\(answer)")
    #expect(answer.output.isEmpty)
    #expect(!answer.errors.isEmpty)
  }

  @Test func aBatchAnswersEveryLine() throws {
    let input = """
      {"id": "a", "shape": [20000, 5000], "dtype": "int32", "buffer_gb": 0.2, "more": [1]}
      {"id": 7, "shape": [12, 6], "dtype": "int16", "buffer_gb": null, "chunk_mb": 1.5e308}

      {"id": "c", "shape": [12, 6], "dtype": "int16", "chunk_mb": 5e-324}
      {"id": "d", "shape": [12, 6], "dtype": "int16", "buffer_gb": 1, "buffer_shape": [12, 6]}
      {"id": "e", "shape": [99999999999999999999], "dtype": "int16"}
      {"id": "f", "shape": [3], "dtype": "int9"}
      {"id": "g"}
      not json
      [1]
      """
    let answer = try Tool.run("plan --batch - --selections 1", input: Data(input.utf8))
    #expect(answer.code == 0)
    let lines = try answer.output.split(separator: "\n").map { try json(String($0)) }
    #expect(lines.count == 9)
    #expect(lines[0]["chunk_shape"] as? [Int] == [3160, 790])
    #expect(lines[0]["selections"] as? [[[Int]]] == [[[0, 12640], [0, 3160]]])
    #expect(lines[1]["id"] as? Int == 7)
    #expect(lines[1]["chunk_shape"] as? [Int] == [12, 6])
    #expect(
      lines.map { $0["error"] as? String } == [
        nil, nil, "nonpositive_chunk", "buffer_gb_and_shape", "overflow", "unsupported_type",
        "invalid_value", "invalid_json", "invalid_json",
      ])
    #expect(lines[7]["id"] is NSNull)
  }
}
