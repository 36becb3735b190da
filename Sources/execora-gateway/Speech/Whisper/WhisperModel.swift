/// The one model we believe in: Whisper base (MIT), converted for CTranslate2. `board/models/fetch-whisper` brings it.
/// The service hashes every file before it loads one and refuses on a mismatch.
enum WhisperModel {
    static let engine = "whisper-base-int8"
    /// The same weights, held to the command grammar.
    static let closedEngine = "whisper-base-grammar"
    static let sha256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"

    /// File name and SHA-256, as in board/models/whisper.sha256.
    static let files: [(name: String, sha256: String)] = [
        ("model.bin", sha256),
        ("config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
        ("tokenizer.json", "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
        ("vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
    ]
}
