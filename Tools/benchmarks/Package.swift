// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error), .enableUpcomingFeature("InternalImportsByDefault"),
]

// The library's sources, compiled once more as targets of this package through the link
// Sources/Library: what is `package` in them can be measured without being made public, and nobody
// who uses the library resolves what the measuring needs.
let library = "Sources/Library/"

let package = Package(
  name: "benchmarks",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "operation", targets: ["Operation"]),
    .executable(name: "stage", targets: ["StageRunner"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    // Without its interposers, which count allocations and slow every one of them down.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    .systemLibrary(
      name: "CLZ4",
      path: library + "CLZ4",
      pkgConfig: "liblz4",
      providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]
    ),
    .target(name: "CPlatform", path: library + "CPlatform"),
    .target(
      name: "HyperslabCore",
      dependencies: ["CPlatform", .product(name: "ComplexModule", package: "swift-numerics")],
      path: library + "HyperslabCore",
      swiftSettings: strict
    ),
    .target(
      name: "HyperslabIteration",
      dependencies: ["HyperslabCore"],
      path: library + "HyperslabIteration",
      swiftSettings: strict
    ),
    .target(
      name: "HyperslabCodecs",
      dependencies: ["HyperslabCore", "CLZ4", "CPlatform"],
      path: library + "HyperslabCodecs",
      swiftSettings: strict
    ),
    .target(
      name: "HyperslabFormat",
      dependencies: [
        "HyperslabCore", "HyperslabCodecs", "CPlatform",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      path: library + "HyperslabFormat",
      swiftSettings: strict
    ),
    .target(
      name: "Hyperslab",
      dependencies: [
        "HyperslabCore", "HyperslabIteration", "HyperslabCodecs", "HyperslabFormat",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      path: library + "Hyperslab",
      swiftSettings: strict
    ),
    .executableTarget(
      name: "Operation",
      dependencies: [
        "Hyperslab",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict
    ),
    .target(
      name: "Stages",
      dependencies: ["HyperslabCore", "HyperslabCodecs", "HyperslabFormat"],
      swiftSettings: strict
    ),
    .executableTarget(
      name: "StageRunner",
      dependencies: [
        "Stages",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict
    ),
    .executableTarget(
      name: "StageBenchmarks",
      dependencies: [
        "Stages",
        .product(name: "Benchmark", package: "benchmark"),
      ],
      path: "Benchmarks/StageBenchmarks",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
    ),
  ],
  swiftLanguageModes: [.v6]
)
