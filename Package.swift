// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error), .enableUpcomingFeature("InternalImportsByDefault"),
]
/// For all but tests: every expression that the compiler cannot prove safe says so as well.
let safe = strict + [.strictMemorySafety()]

let package = Package(
  name: "Hyperslab",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "Hyperslab", targets: ["Hyperslab"]),
    .library(name: "HyperslabTestSupport", targets: ["HyperslabTestSupport"]),
    .executable(name: "slab", targets: ["slab"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: [
    .systemLibrary(
      name: "CLZ4",
      pkgConfig: "liblz4",
      providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]
    ),
    .target(name: "CPlatform"),
    .target(
      name: "HyperslabCore",
      dependencies: ["CPlatform", .product(name: "ComplexModule", package: "swift-numerics")],
      swiftSettings: safe
    ),
    .target(name: "HyperslabIteration", dependencies: ["HyperslabCore"], swiftSettings: safe),
    .target(
      name: "HyperslabCodecs",
      dependencies: ["HyperslabCore", "CLZ4", "CPlatform"],
      swiftSettings: safe
    ),
    .target(
      name: "HyperslabFormat",
      dependencies: [
        "HyperslabCore", "HyperslabCodecs", "CPlatform",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: safe
    ),
    .target(
      name: "Hyperslab",
      dependencies: [
        "HyperslabCore", "HyperslabIteration", "HyperslabCodecs", "HyperslabFormat",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: safe
    ),
    .target(
      name: "HyperslabTestSupport",
      dependencies: ["HyperslabCore", "HyperslabIteration"],
      path: "Tests/HyperslabTestSupport",
      swiftSettings: safe
    ),
    .executableTarget(
      name: "slab",
      dependencies: [
        "CPlatform", "Hyperslab",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tools/slab",
      swiftSettings: safe
    ),
    .testTarget(
      name: "HyperslabCoreTests",
      dependencies: [
        "HyperslabCore", "HyperslabTestSupport",
        .product(name: "ComplexModule", package: "swift-numerics"),
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "HyperslabCodecsTests",
      dependencies: ["HyperslabCodecs", "HyperslabCore", "HyperslabTestSupport", "CLZ4"],
      swiftSettings: strict
    ),
    .testTarget(
      name: "HyperslabFormatTests",
      dependencies: [
        "HyperslabFormat", "HyperslabCodecs", "HyperslabCore", "HyperslabIteration",
        "HyperslabTestSupport",
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "HyperslabIterationTests",
      dependencies: ["HyperslabCore", "HyperslabIteration", "HyperslabTestSupport"],
      swiftSettings: strict
    ),
    .testTarget(
      name: "HyperslabTests",
      dependencies: [
        "Hyperslab", "HyperslabTestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict
    ),
    .testTarget(
      name: "HyperslabFuzzTests",
      dependencies: [
        "Hyperslab", "HyperslabFormat", "HyperslabCodecs", "HyperslabCore", "HyperslabTestSupport",
        "HyperslabIteration", .product(name: "SystemPackage", package: "swift-system"),
      ],
      exclude: ["Corpus"],
      swiftSettings: strict
    ),
    .testTarget(name: "SlabToolTests", dependencies: ["slab"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
