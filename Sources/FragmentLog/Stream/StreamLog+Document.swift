import Synchronization

/// Changes of `stream.json`.
extension StreamLog {
    /// Writes the document in force once more if the disk may hold one that was refused.
    ///
    /// Nothing is promised to a producer before: the disk may say that the stream is deleted.
    func settleDocument() throws(LogError) {
        if state.withLock({ $0.isDocumentUnsure }) { try updateDocument { _ in } }
    }

    /// Changes the stream's document and makes the change durable.
    ///
    /// Blocks.
    ///
    /// The change shows to others only once it is durable.
    func updateDocument(_ change: (inout StreamDocument) throws(LogError) -> Void) throws(LogError)
    {
        try documentLock.withLock { _ throws(LogError) in
            var document = state.withLock { $0.document }
            let before = document
            try change(&document)
            let isUnsure = state.withLock { $0.isDocumentUnsure }
            guard document != before || isUnsure else { return }
            do throws(LogError) {
                try Directory.replaceFile(
                    StreamFiles.document,
                    in: directory,
                    with: document.encoded()
                )
            } catch {
                state.withLock { $0.isDocumentUnsure = true }
                throw error
            }
            state.withLock { state in
                state.document = document
                state.isDocumentUnsure = false
            }
        }
    }
}
