import ArgumentParser

/// How a command says what it found.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Write JSON for machines instead of text for people.")
    var json = false
}
