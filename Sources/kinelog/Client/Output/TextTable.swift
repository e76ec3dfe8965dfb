/// Rows of text in aligned columns.
struct TextTable {
    /// Where the text of a column stands.
    enum Alignment {
        case left
        case right
    }

    private let alignments: [Alignment]
    private var rows: [[String]]

    /// A table with its heading.
    init(_ columns: KeyValuePairs<String, Alignment>) {
        rows = [columns.map(\.key)]
        alignments = columns.map(\.value)
    }

    /// Adds a row; missing cells are empty, more than there are columns are left out.
    mutating func add(_ cells: String...) {
        rows.append(
            alignments.indices.map { $0 < cells.count ? Self.printable(cells[$0]) : "" }
        )
    }

    /// The lines, without spaces at their ends.
    var lines: [String] {
        let widths = alignments.indices.map { column in
            rows.map { $0[column].count }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - cell.count)
                if column > 0 { line += "  " }
                line += alignments[column] == .left ? cell + space : space + cell
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }

    /// Names and tags come from outside and must not move a terminal's cursor.
    private static func printable(_ text: String) -> String {
        String(
            text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) }
        )
    }
}
