import Glibc
import Logging
import NIOCore
import Synchronization

extension OpenFragment {
    /// Moves what is in memory to the spill file.
    ///
    /// Blocks.
    func spill() {
        spillLock.withLock { _ in
            let (slabs, start, known) = content.withLock {
                ($0.slabs, $0.slabStart, $0.spillFile)
            }
            let bytes = slabs.reduce(0) { $0 + $1.readableBytes }
            guard bytes > 0 else { return }
            let file: OpenFile
            do {
                file = try known ?? OpenFile.open(spillPath, O_RDWR | O_CREAT | O_TRUNC)
                try file.write(slabs, at: UInt64(start))
            } catch {
                stream.log.logger.warning(
                    "an open fragment could not be spilled",
                    metadata: [
                        "stream.name": "\(stream.name)", "fragment.number": "\(number)",
                        "bytes": "\(bytes)", "error": "\(error)",
                    ]
                )
                if known == nil { try? Directory.unlink(spillPath) }
                content.withLock { $0.isSpillRefused = true }
                interrupt(
                    LogError(
                        .memory,
                        "Fragment \(number) of stream '\(stream.name)' was ended: open fragments fill their memory and it could not be spilled to \(spillPath).",
                        cause: error
                    )
                )
                return
            }
            let isStillHeld = content.withLock { content -> Bool in
                // Made durable or dropped meanwhile: its bytes have been given back already.
                guard !content.slabs.isEmpty else { return false }
                content.spillFile = file
                // The producer may have grown the last slab; only what was written goes.
                let grown = content.slabs.dropFirst(slabs.count - 1)
                if var last = grown.first, let written = slabs.last?.readableBytes {
                    last.moveReaderIndex(forwardBy: written)
                    let rest = last.readableBytes > 0 ? [last] : []
                    content.slabs = rest + grown.dropFirst()
                } else {
                    content.slabs = []
                }
                content.slabStart = start + bytes
                content.counted -= bytes
                return true
            }
            if isStillHeld {
                _ = stream.log.budget.add(-bytes)
            } else {
                try? Directory.unlink(spillPath)
            }
        }
    }
}
