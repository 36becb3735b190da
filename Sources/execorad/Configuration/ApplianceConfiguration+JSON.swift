import JSONText

extension ApplianceConfiguration {
    /// Every key with its value, for `config.get` and a bundle. No key of the configuration is a secret: those come as
    /// credentials or lie in the identity folder.
    var json: JSONValue {
        .object(
            ConfigurationKey.all.map { key in
                let value: JSONValue =
                    switch key.kind {
                    case .text(let path): .string(self[keyPath: path])
                    case .flag(let path): .bool(self[keyPath: path])
                    case .number(let path, _): .integer(Int64(self[keyPath: path]))
                    case .choice: .string(chosen(key.name))
                    }
                return .init(key.name, value)
            })
    }

    private func chosen(_ name: String) -> String {
        switch name {
        case "audio.backend": audioBackend.rawValue
        case "turn.hangover": hangover.rawValue
        case "diagnostics.log_level": logLevel.name
        case "diagnostics.log_format": logFormat.rawValue
        default: "?"
        }
    }
}
