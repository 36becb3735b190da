/// What can go wrong between samples and packets, and between packets and an Ogg file.
public enum OpusError: Error, Equatable {
    /// libopus refused: its code (negative, `opus_defines.h`) and the operation. For the technician.
    case library(code: Int32, operation: String)
    /// The packet is no Opus packet; the stream may go on with the next one.
    case malformedPacket
    /// The bytes are no Ogg Opus file this room reads, or its head is damaged.
    case notOggOpus(String)
    /// More pages are damaged than a file worth reading has.
    case tooDamaged
    case tooLarge(String)
}
