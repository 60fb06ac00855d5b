import HyperslabCore
import SystemPackage
import Testing

@testable import HyperslabFormat

/// Units of dates as xarray reads them.
@Suite struct ToldUnitTests {
  @Test(arguments: [
    ("ns since 1970-01-01", "nanoseconds since 1970-01-01"),
    ("D since 2000-01-01 00:00", "days since 2000-01-01 00:00"),
    ("m since 1970-01-01", "minutes since 1970-01-01"),
    ("seconds since 1970-01-01", "seconds since 1970-01-01"), ("m", "m"), ("ns", "ns"),
    ("V since then", "V since then"), (" since ", " since "), ("", ""),
  ])
  func numPysWords(unit: String, told: String) throws {
    #expect(ZarrAttributes.told(unit: unit) == told)
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("s.slab")
    var description = DatasetDescription(shape: [4], chunkShape: [4], dataType: .int64)
    description.unit = unit
    let store = try SlabStore.create(at: path, durability: .fast)
    _ = try store.createDataset(try NodePath("t"), description)
    try store.close()
    let document = try JSONParser.parse(try contents(path.appending("t/zarr.json"))).object
    #expect(document?["attributes"]?.object?["units"] == .string(told))
    // The store itself keeps what it was given, and takes its own document for its own.
    let open = try SlabStore.open(path)
    #expect(try open.dataset(try NodePath("t")).description.unit == unit)
    #expect(
      open.zarrNotes(of: try NodePath("t")).contains { $0.contains("units") } == (told != unit))
    #expect(try SlabStore.verify(path).zarrView == .same)
  }
}
