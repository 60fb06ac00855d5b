import HyperslabCodecs
import HyperslabCore

/// An array as another program's `zarr.json` describes it, as far as this version can read it.
struct ForeignArray {
  /// The codecs behind `bytes`.
  struct Chain: Hashable {
    /// The shuffle of a `blosc` with LZ4; nil without `blosc`.
    var blosc: Filter?
    var hasChecksum = false
  }

  /// Why an array cannot be taken.
  struct Refusal: Error { let reason: String }

  let description: DatasetDescription
  let chain: Chain

  init(_ document: JSONObject) throws(Refusal) {
    let known: Set = [
      "zarr_format", "node_type", "shape", "data_type", "chunk_grid", "chunk_key_encoding",
      "fill_value", "codecs", "attributes", "dimension_names", "storage_transformers",
    ]
    if let member = document.keys.first(where: { !known.contains($0) }) {
      throw Refusal(reason: "the member \"\(member)\" of its metadata")
    }
    guard document["storage_transformers"]?.array?.isEmpty ?? true else {
      throw Refusal(reason: "storage transformers")
    }
    guard let name = document["data_type"]?.string, let dataType = DataType(rawValue: name) else {
      throw Refusal(reason: "the data type \(document["data_type"]?.text() ?? "missing")")
    }
    let grid = document["chunk_grid"]?.object
    let keys = document["chunk_key_encoding"]?.object
    guard grid?["name"]?.string == "regular",
      let shape = Self.lengths(document["shape"]),
      let chunkShape = Self.lengths(grid?["configuration"]?.object?["chunk_shape"])
    else { throw Refusal(reason: "a grid of chunks that is not regular") }
    guard keys?["name"]?.string == "default",
      keys?["configuration"]?.object?["separator"]?.string ?? "/" == "/"
    else { throw Refusal(reason: "chunk keys other than c/0/0") }
    guard let value = document["fill_value"],
      let fill = try? FillValue(json: value, dataType: dataType)
    else { throw Refusal(reason: "its fill value") }
    chain = try Self.chain(document["codecs"]?.array ?? [], dataType)
    let names = document["dimension_names"]?.array?.map(\.string)
    description = DatasetDescription(
      shape: Shape(shape), chunkShape: Shape(chunkShape), dataType: dataType,
      maximumShape: shape.map { _ in nil }, fillValue: fill, dimensionNames: names,
      attributes: document["attributes"]?.object ?? [:],
      compression: Compression(filter: chain.blosc))
    do { _ = try description.validated() } catch { throw Refusal(reason: error.what) }
  }

  private static func lengths(_ value: JSONValue?) -> [Int]? {
    guard let array = value?.array else { return nil }
    let lengths = array.compactMap(\.integer)
    return lengths.count == array.count ? lengths : nil
  }

  private static func chain(
    _ codecs: [JSONValue], _ dataType: DataType
  ) throws(Refusal) -> Chain {
    var rest = codecs.compactMap(\.object)[...]
    let first = rest.popFirst()
    guard rest.count + 1 == codecs.count, first?["name"]?.string == "bytes",
      dataType.byteCount == 1
        || first?["configuration"]?.object?["endian"]?.string ?? "little" == "little"
    else { throw Refusal(reason: "codecs that do not begin with little-endian bytes") }
    var chain = Chain()
    if let codec = rest.first, codec["name"]?.string == "blosc" {
      let settings = codec["configuration"]?.object
      guard settings?["cname"]?.string == "lz4" || settings?["cname"]?.string == "lz4hc" else {
        throw Refusal(reason: "blosc with \(settings?["cname"]?.string ?? "another codec")")
      }
      chain.blosc =
        switch settings?["shuffle"]?.string {
        case "shuffle": .shuffle
        case "bitshuffle": .bitshuffle
        default: Filter.none
        }
      rest = rest.dropFirst()
    }
    if let codec = rest.first, codec["name"]?.string == "crc32c" {
      chain.hasChecksum = true
      rest = rest.dropFirst()
    }
    if let codec = rest.first {
      throw Refusal(reason: "the codec \(codec["name"]?.text() ?? "without a name")")
    }
    return chain
  }

  /// The elements of a chunk's file; nil where it is not what the codecs make.
  static func decoded(_ bytes: [UInt8], _ chain: Chain, byteCount: Int) -> [UInt8]? {
    var bytes = bytes
    if chain.hasChecksum {
      guard bytes.count >= 4 else { return nil }
      let sum = bytes.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      bytes.removeLast(4)
      guard CRC32C.of(bytes) == sum else { return nil }
    }
    if chain.blosc != nil { return BloscBuffer.decoded(bytes, byteCount: byteCount) }
    return bytes.count == byteCount ? bytes : nil
  }
}
