/// The `llm` part of the gateway's configuration: a language model in the form of OpenAI's chat completions.
struct OpinionConfiguration: Hashable, Sendable {
    /// Base URL; `/chat/completions` is added.
    var url: String
    var model: String
    var keyFile: String?
    var timeoutMilliseconds: Int64 = 4000
    /// "json_schema" for servers that hold the model to a schema, "json_object" for lesser ones, "none" for the least.
    /// The answer is checked the same way in all three.
    var form = Form.jsonSchema
    /// Asked when the surest transcript is below this, or when two transcripts differ.
    var askBelowMilli: Int64 = 900
    /// Millionths of a dollar a thousand tokens.
    var microsPerThousandTokens: Int64 = 0

    enum Form: String, Hashable, Sendable, CaseIterable {
        case jsonSchema = "json_schema"
        case jsonObject = "json_object"
        case none
    }
}
