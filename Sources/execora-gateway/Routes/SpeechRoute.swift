import Hummingbird
import JSONText
import Seals

/// `POST /v1/speech`: a line of text in (JSON: text, language), its sound out. For a counter with a line and a better
/// voice here than its own; the device speaks by itself when this fails.
struct SpeechRoute: Sendable {
    static let bodyBytesMax = 8192

    let desk: VoiceDesk?

    func answer(_ request: Request, context: DeviceContext) async throws -> Response {
        let body = try await request.bytes(upTo: Self.bodyBytesMax)
        guard let desk else {
            throw Refusal(status: .notImplemented, code: "no_voice", message: "no voice is configured here")
        }
        guard let json = try? JSONValue(parsing: body), let text = json["text"]?.string?.trimmed, !text.isEmpty,
            let language = json["language"]?.string, ["hi-en", "hi", "en"].contains(language)
        else { throw Refusal.malformed("a line is {text, language}") }
        guard text.utf8.count <= SpokenLine.bytesMax else { throw Refusal.tooLarge("line over its maximum") }
        context.note.add("characters", .integer(Int64(text.count)))
        do {
            let audio = try await desk.speak(
                SpokenLine(text: text, language: language), shop: ShopHash.of(context.sender.shop))
            return Response(
                status: .ok, headers: [.contentType: audio.contentType],
                body: .init(byteBuffer: .init(bytes: audio.bytes)))
        } catch is SpeechError {
            throw Refusal.unavailable("no voice can speak now", retryAfterSeconds: 10)
        }
    }
}
