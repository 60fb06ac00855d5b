import HyperslabCore

extension Stage {
  /// JSON of a chunk table's kind: what opening and committing spend their time on.
  static var index: [Stage] {
    let text = table.text(pretty: true)
    let byteCount = text.utf8.count
    return [
      Stage("json/write", byteCount: byteCount) {
        let table = table
        return { keep(table.text(pretty: true)) }
      },
      Stage("json/parse", byteCount: byteCount) {
        let bytes = Array(text.utf8)
        keep(try JSONParser.parse(bytes))
        return { mustSucceed { keep(try JSONParser.parse(bytes)) } }
      },
    ]
  }

  /// 4096 rows in columns, as the format has them.
  private static var table: JSONValue {
    let rows = 0..<4096
    return [
      "slab_run": 1, "dataset": "d3", "grid": [64, 64], "id": [[0, 4096]],
      "state": .string(String(repeating: "s", count: rows.count)),
      "bytes": .array(rows.map { .integer(4_000_000 + $0 * 7919 % 100_000) }),
      "crc": .array(rows.map { .integer($0 * 2_654_435_761 % 4_294_967_296) }),
      "min": .array(rows.map { .integer(-100 - $0 % 37) }),
      "max": .array(rows.map { .double(Double($0 % 41) + 0.5) }),
      "nan": .array(rows.map { _ in 0 }),
    ]
  }
}
