import HyperslabCore
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Values nested far deeper than any stack: built, looked at, compared, written and freed without a trap,
/// and refused by every store.
@Suite struct DeepValueTests {
  enum Form: CaseIterable, Sendable {
    case arrays, objects, literals, both, members
  }

  private func nested(_ form: Form, _ depth: Int) -> JSONValue {
    (0..<depth).reduce(1) { (value: JSONValue, number) -> JSONValue in
      switch form {
      case .arrays: return .array([value])
      case .objects: return .object(["a": value])
      case .literals: return ["a": value]
      case .both: return number % 2 == 0 ? [value, 2] : ["a": 1, "b": value]
      case .members:
        var object = JSONObject()
        for name in ["a", "b", "c"] { object[name] = 1 }
        object["b"] = value
        return .object(object)
      }
    }
  }

  private func code(_ body: () throws -> Void) -> HyperslabError.Code? {
    do { try body() } catch { return (error as? HyperslabError)?.code }
    return nil
  }

  @Test(arguments: Form.allCases)
  func aHundredThousandLevels(_ form: Form) throws {
    let value = nested(form, 100_000)
    let other = nested(form, 100_000)
    #expect(value == other)
    #expect(value.hashValue == other.hashValue)
    #expect(value != nested(form, 10))
    #expect(value.text().contains("…"))
    #expect(value.text(pretty: true).contains("…"))
    let store = MemoryStore()
    let description = DatasetDescription(
      shape: [1], chunkShape: [1], dataType: .int8, attributes: ["deep": value])
    #expect(code { _ = try store.createDataset("x", description) } == .invalidValue)
    #expect(code { try store.createGroup("g", attributes: ["deep": value]) } == .invalidValue)
    #expect(code { _ = try store.dataset("x") } == .notFound)
  }

  /// On a thread with a small stack, where a trap would come early.
  @Test func aSmallStack() {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, 256 << 10)
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { _ in
      let suite = DeepValueTests()
      for form in Form.allCases {
        let value = suite.nested(form, 10_000)
        _ = value == suite.nested(form, 9_999)
        _ = value.text(pretty: true)
        try? JSONObject(dictionaryLiteral: ("deep", value)).checkWritable()
      }
      return nil
    }
    #if canImport(Darwin)
      pthread_create(&thread, &attributes, { body($0) }, nil)
      if let thread { pthread_join(thread, nil) }
    #else
      pthread_create(&thread, &attributes, body, nil)
      pthread_join(thread, nil)
    #endif
  }

  /// What a store takes is far from that, and stays as it is.
  @Test(arguments: Form.allCases)
  func levelsThatAreKept(_ form: Form) throws {
    for depth in [1, 63, 64, 65, 127, JSONValue.mostLevels] {
      let value = nested(form, depth)
      #expect(try JSONParser.parse(Array(value.text().utf8), depthLimit: 200) == value)
      #expect(
        code { try JSONObject(dictionaryLiteral: ("x", value)).checkWritable() }
          == (depth <= 64 ? nil : .invalidValue), "\(depth)")
    }
    #expect(nested(form, JSONValue.mostLevels + 1).text().contains("…"))
  }

  /// An object forgets how deep a member was that is gone.
  @Test func membersThatComeAndGo() {
    var object: JSONObject = ["a": 1]
    object["deep"] = nested(.arrays, 100)
    object["deep"] = nested(.arrays, 2)
    let wrapped = (0..<100).reduce(JSONValue.object(object)) { value, _ in .array([value]) }
    #expect(!wrapped.text().contains("…"))
    object["deep"] = nested(.arrays, 100)
    object["deep"] = nil
    let again = (0..<100).reduce(JSONValue.object(object)) { value, _ in .array([value]) }
    #expect(!again.text().contains("…"))
  }
}
