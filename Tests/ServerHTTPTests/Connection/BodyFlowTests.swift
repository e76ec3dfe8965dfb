import NIOCore
import Testing

@testable import ServerHTTP

struct BodyFlowTests {
    private struct Failure: Error, Equatable { var text: String }

    /// What the reader gets, as text.
    private static func read(_ flow: inout BodyFlow) -> String {
        switch flow.take() {
        case .piece(let piece): String(buffer: piece)
        case .failure(let error): "\((error as? Failure)?.text ?? "?")!"
        case .end: "end"
        case .wait: "wait"
        }
    }

    @Test func `pieces go through one at a time`() {
        var flow = BodyFlow(hasBody: true)
        #expect(Self.read(&flow) == "wait")
        #expect(flow.hasRoom)
        flow.put(ByteBuffer(string: "a"))
        #expect(!flow.hasRoom)
        #expect(!flow.isEmpty)
        #expect(Self.read(&flow) == "a")
        #expect(flow.hasRoom)
        flow.put(ByteBuffer(string: "b"))
        flow.finish(.whole)
        #expect(!flow.isAtEnd)
        #expect(Self.read(&flow) == "b")
        #expect(flow.isAtEnd)
        #expect(Self.read(&flow) == "end")
        #expect(Self.read(&flow) == "end")
    }

    @Test func `a request without a body is at its end`() {
        var flow = BodyFlow(hasBody: false)
        #expect(flow.isAtEnd)
        #expect(Self.read(&flow) == "end")
    }

    @Test func `what came before a break is read first`() {
        var flow = BodyFlow(hasBody: true)
        flow.put(ByteBuffer(string: "a"))
        flow.finish(.broken(Failure(text: "broken")))
        flow.finish(.whole)
        #expect(Self.read(&flow) == "a")
        #expect(Self.read(&flow) == "broken!")
        #expect(!flow.isAtEnd)
    }

    @Test func `a reader is cut off, and what comes after that is dropped`() {
        var flow = BodyFlow(hasBody: true)
        flow.put(ByteBuffer(string: "a"))
        flow.cut(Failure(text: "late"))
        flow.cut(Failure(text: "later"))
        #expect(flow.hasRoom)
        flow.put(ByteBuffer(string: "b"))
        #expect(Self.read(&flow) == "a")
        #expect(Self.read(&flow) == "late!")
        flow.finish(.whole)
        #expect(Self.read(&flow) == "late!")
    }

    @Test func `whoever has read everything cannot be cut off`() {
        var flow = BodyFlow(hasBody: true)
        flow.finish(.whole)
        flow.cut(Failure(text: "late"))
        #expect(Self.read(&flow) == "end")
    }

    @Test func `what nobody reads holds nobody up`() {
        var flow = BodyFlow(hasBody: true)
        flow.put(ByteBuffer(string: "a"))
        flow.drop()
        #expect(flow.hasRoom)
        flow.put(ByteBuffer(string: "b"))
        #expect(flow.isEmpty)
        flow.finish(.whole)
        #expect(flow.isAtEnd)
    }
}
