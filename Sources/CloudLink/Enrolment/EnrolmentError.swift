import Seals

/// Why a device was not enrolled or its certificate not renewed. The person at the counter acts on it.
public enum EnrolmentError: Error, Equatable, Sendable {
    /// It is enrolled; enrolling again has to be asked for.
    case alreadyEnrolled
    /// The gateway could not be asked.
    case link(LinkError)
    /// The gateway's answer is not for this device; says what of it.
    case answer(String)
    /// The identity folder.
    case identity(SealError)

    public var hint: String {
        switch self {
        case .alreadyEnrolled: "This device is enrolled already. Enrolling it again replaces its certificate and shop."
        case .link(.rejected(let rejection)) where rejection.status == 403:
            "The code is wrong, used or expired. Ask the operator for a new one."
        case .link(let error): error.hint
        case .answer: "The gateway's answer is not for this device. Nothing was changed; tell the operator."
        case .identity(.file(let code, _, _)) where code == 28: "The disk is full. Make room, then enrol again."
        case .identity: "The identity folder cannot be used. Check its owner and that it is mode 0700."
        }
    }
}
