import Foundation
import HyperslabCore
import SystemPackage

/// `Spec/vectors`: golden stores, what they hold, and edits of them (its README has the fields).
enum StoreVectors {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../Spec/vectors").standardizedFileURL

  static let golden = lines("expected").map(GoldenDataset.init)
  static let variants = lines("variants").map(EditedStore.init)
  static let invalid = lines("invalid").map(EditedStore.init)
  /// The stores' names.
  static var stores: [String] { Set(golden.map(\.store)).sorted() }

  static func path(of store: String) -> FilePath {
    FilePath(folder.appending(path: "stores/\(store)").path(percentEncoded: false))
  }

  private static func lines(_ name: String) -> [JSONObject] {
    guard let data = try? Data(contentsOf: folder.appending(path: "\(name).jsonl")) else {
      return []
    }
    return data.split(separator: 0x0A).compactMap { (try? JSONParser.parse($0))?.object }
  }
}

/// One data set of a golden store and what must be read from it.
struct GoldenDataset {
  let id: String
  let store: String
  let path: String
  let dataType: String
  let shape: Shape
  /// What to read; whole axes where nothing is said.
  let box: [Range<Int>]
  let digest: String
  /// One letter for each chunk that the box touches.
  let states: String

  init(_ line: JSONObject) {
    id = line["id"]?.string ?? ""
    store = line["store"]?.string ?? ""
    path = line["dataset"]?.string ?? ""
    dataType = line["dtype"]?.string ?? ""
    shape = Shape((line["shape"]?.array ?? []).compactMap(\.integer))
    let ends = line["box"]?.array?.map { ($0.array ?? []).compactMap(\.integer) }
    box = ends?.map { $0.count == 2 ? $0[0]..<$0[1] : 0..<0 } ?? shape.map { 0..<$0 }
    digest = line["sha256"]?.string ?? ""
    states = line["states"]?.string ?? ""
  }
}

/// A golden store, edits of it, and what becomes of it.
struct EditedStore {
  let id: String
  let store: String
  let edits: [StoreEdit]
  /// The code that opening fails with.
  let open: String?
  /// The code that reading the data sets in `affected` fails with.
  let read: String?
  let affected: Set<String>
  /// The code that opening for writing fails with.
  let write: String?
  /// What verification calls it, and of which file it does.
  let kind: String?
  let file: String?
  /// Whether the edit concerns what only verification looks at.
  let changesDerived: Bool
  let changesTotals: Bool

  init(_ line: JSONObject) {
    id = line["id"]?.string ?? ""
    store = line["store"]?.string ?? ""
    edits = (line["edits"]?.array ?? []).compactMap { $0.object.map(StoreEdit.init) }
    let expect = line["expect"]?.object ?? [:]
    open = expect["open"]?.string
    read = expect["read"]?.string
    affected = Set((expect["affected"]?.array ?? []).compactMap(\.string))
    write = expect["write"]?.string
    kind = expect["kind"]?.string
    file = expect["file"]?.string
    changesDerived = expect["derived"] == .bool(false)
    changesTotals = expect["totals"] == .bool(false)
  }
}
