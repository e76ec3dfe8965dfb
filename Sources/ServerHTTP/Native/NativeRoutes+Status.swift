import FragmentLog
import HTTPTypes
import MediaModel

extension NativeRoutes {
    /// `GET /healthz`: the process answers.
    func health() throws -> Answer {
        _ = try query()
        return Answer(json: .object(["status": .string("ok")]))
    }

    /// `GET /readyz`: whether footage can be taken and served, with what stands in the way.
    func ready() async throws -> Answer {
        _ = try query()
        let readiness = await Readiness.look(at: server)
        return Answer(
            readiness.isReady ? .ok : .serviceUnavailable,
            json: .object([
                "status": .string(readiness.isReady ? "ready" : "not-ready"),
                "problems": .array(readiness.problems.map { .string($0) }),
                "damagedStreams": .object(
                    readiness.damagedStreams.map { JSONValue.Member($0.0, .string($0.1)) }
                ),
                "damagedSegments": .object(
                    readiness.damagedSegments.map { JSONValue.Member($0.0, .string($0.1)) }
                ),
            ])
        )
    }

    /// `GET /v1/status`: the server and its streams at a glance.
    func status() async throws -> Answer {
        _ = try query()
        let log = server.log
        let volume = await Volume.of(log.configuration.directory)
        return Answer(
            json: .object([
                "now": .string(log.now.description),
                "sessions": .integer(Int64(log.sessionCount)),
                "sessionsMax": .integer(Int64(log.sessionsMax)),
                "openFragmentBytes": .integer(Int64(log.openFragmentBytes)),
                "openFragmentBytesMax": .integer(Int64(log.configuration.openFragmentBytesMax)),
                "diskFreeBytes": volume.map { .unsigned($0.availableBytes) },
                "diskBytes": volume.map { .unsigned($0.totalBytes) },
                "damagedStreams": .object(
                    log.damagedStreams.sorted { $0.key < $1.key }.map {
                        JSONValue.Member($0.key, .string($0.value.message))
                    }
                ),
                "damagedSegments": .object(
                    log.damagedSegments.sorted { $0.key < $1.key }.map {
                        JSONValue.Member($0.key, .string($0.value.message))
                    }
                ),
                "streams": .array(log.streams().map { StreamShape.json($0) }),
            ])
        )
    }
}
