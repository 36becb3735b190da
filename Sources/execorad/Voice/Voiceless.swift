/// What is said in place of an answer the voice program could not say: recorded beforehand, because then it is needed.
///
/// Whether something was written is the one thing a shopkeeper has to know; who hears a failure says it again.
enum Voiceless: CaseIterable {
    case written
    case notSaid

    func text(language: String) -> String {
        switch (self, language) {
        case (.written, "en"): "It is written. I cannot say the rest. Please call the technician."
        case (.written, "hi"): "लिख लिया। बाकी बोल नहीं सकता। मिस्त्री को बुलाइए।"
        case (.written, _): "Likh liya. Baaki bol nahi sakta. Technician ko bulaiye."
        case (.notSaid, "en"): "I cannot say the answer. Please call the technician."
        case (.notSaid, "hi"): "जवाब बोल नहीं सकता। मिस्त्री को बुलाइए।"
        case (.notSaid, _): "Jawab bol nahi sakta. Technician ko bulaiye."
        }
    }
}
