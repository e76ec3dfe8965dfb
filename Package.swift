// swift-tools-version: 6.2
import PackageDescription

// `KINELOG_PARTS` leaves the upper layers (and their dependencies) out of the graph, so that a
// sanitizer build compiles in minutes: `media` stops below the log, `log` stops below the HTTP
// server. Unset builds everything.
let parts = Context.environment["KINELOG_PARTS"] ?? "all"
let hasLog = parts != "media"
let hasServer = hasLog && parts != "log"

// One array for every target.
//
// `NonisolatedNonsendingByDefault` stays off: an async function that reads files or waits for a
// commit must leave its caller's actor (the registry, the retention schedule), and with the feature
// on it would run there unless somebody remembered `@concurrent`.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
    .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
    .treatAllWarnings(as: .error),  // SE-0443
    .strictMemorySafety(),  // SE-0458
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(
    name: "ServiceLifecycle",
    package: "swift-service-lifecycle"
)
let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)
let asyncHTTPClient: Target.Dependency = .product(
    name: "AsyncHTTPClient",
    package: "async-http-client"
)
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")

var dependencies: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
]

// Arrows point down this list only; `StyleTests` reads `Sources` and holds them to it.
var targets: [Target] = [
    .target(name: "MediaModel", swiftSettings: settings),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
        name: "CFFmpeg",
        pkgConfig: "libavformat",
        providers: [
            .apt(["libavformat-dev", "libavcodec-dev", "libswscale-dev", "libswresample-dev"])
        ]
    ),
    .target(
        name: "Matroska",
        dependencies: ["MediaModel", "CZlib", nioCore],
        swiftSettings: settings
    ),
    .target(
        name: "FFmpegMedia",
        dependencies: ["MediaModel", "CFFmpeg", nioCore, logging],
        swiftSettings: settings
    ),
    .target(
        name: "TestSupport",
        dependencies: ["MediaModel", nioCore],
        path: "Tests/TestSupport",
        swiftSettings: settings
    ),
    .testTarget(
        name: "MediaModelTests",
        dependencies: ["MediaModel", "TestSupport"],
        swiftSettings: settings
    ),
    .testTarget(
        name: "MatroskaTests",
        dependencies: ["Matroska", "MediaModel", "TestSupport", nioCore],
        swiftSettings: settings
    ),
    .testTarget(
        name: "FFmpegMediaTests",
        dependencies: ["FFmpegMedia", "MediaModel", "TestSupport", nioCore],
        swiftSettings: settings
    ),
]

if hasLog {
    dependencies += [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ]
    targets += [
        .target(name: "Catalog", dependencies: ["MediaModel", grdb], swiftSettings: settings),
        .target(name: "CLinux"),
        .target(
            name: "FragmentLog",
            dependencies: [
                "Catalog", "Matroska", "MediaModel", "CLinux", nioCore, nioPosix, logging,
                lifecycle,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Ingest",
            dependencies: [
                "FragmentLog", "FFmpegMedia", "Matroska", "MediaModel", nioCore, nioPosix, logging,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Playback",
            dependencies: [
                "FragmentLog", "FFmpegMedia", "Matroska", "MediaModel", nioCore, logging,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "LogTestSupport",
            dependencies: [
                "FragmentLog", "Matroska", "MediaModel", "TestSupport", nioCore, logging,
            ],
            path: "Tests/LogTestSupport",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "KinelogBench",
            dependencies: [
                "FragmentLog", "Matroska", "MediaModel", argumentParser, nioCore, logging,
            ],
            path: "Tools/bench/KinelogBench",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "CrashWorkload",
            dependencies: [
                "FragmentLog", "LogTestSupport", "Matroska", "MediaModel", "TestSupport", nioCore,
                logging,
            ],
            path: "Tools/CrashWorkload",
            swiftSettings: settings
        ),
        .testTarget(
            name: "CatalogTests",
            dependencies: ["Catalog", "MediaModel", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "FragmentLogTests",
            dependencies: [
                "FragmentLog", "Catalog", "Matroska", "MediaModel", "LogTestSupport", "TestSupport",
                nioCore,
                logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "IngestTests",
            dependencies: [
                "Ingest", "FragmentLog", "FFmpegMedia", "Matroska", "MediaModel", "LogTestSupport",
                "TestSupport",
                nioCore, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PlaybackTests",
            dependencies: [
                "Playback", "Ingest", "FragmentLog", "Matroska", "MediaModel", "LogTestSupport",
                "TestSupport",
                nioCore, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StyleTests",
            dependencies: ["TestSupport", nioCore],
            swiftSettings: settings
        ),
    ]
}

if hasServer {
    dependencies += [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    ]
    targets += [
        .target(
            name: "KinelogClient",
            dependencies: ["MediaModel", asyncHTTPClient, nioCore, nioPosix, nioHTTP1],
            swiftSettings: settings
        ),
        .target(
            name: "ServerHTTP",
            dependencies: [
                "Ingest", "Playback", "FragmentLog", "Catalog", "Matroska", "MediaModel",
                hummingbird, hummingbirdCore, httpTypes, nioCore, nioPosix, logging, lifecycle,
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "kinelog",
            dependencies: [
                "ServerHTTP", "KinelogClient", "Ingest", "Playback", "FragmentLog", "Catalog",
                "MediaModel", argumentParser, nioCore, nioPosix, logging, lifecycle,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ServerHTTPTests",
            dependencies: ["ServerHTTP", "MediaModel", "TestSupport", nioCore],
            swiftSettings: settings
        ),
        .testTarget(
            name: "KinelogClientTests",
            dependencies: [
                "KinelogClient", "kinelog", "ServerHTTP", "FragmentLog", "MediaModel",
                "TestSupport", argumentParser, nioCore,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["MediaModel", "TestSupport", "kinelog"],
            swiftSettings: settings
        ),
    ]
}

let package = Package(
    name: "kinelog",
    dependencies: dependencies,
    targets: targets,
    swiftLanguageModes: [.v6]
)
