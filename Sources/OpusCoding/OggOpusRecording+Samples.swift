extension OggOpusRecording {
    /// A gap longer than this is filled no further: a false granule must not make hours of silence. 30 s at 48 kHz.
    static let gapSamples48kMax: Int64 = 48_000 * 30

    /// The sound, 16 kHz mono: pre-skip dropped, the end trimmed, what is missing as silence of its length, so
    /// that time stays true. A malformed packet counts as 20 ms of concealment.
    public func samples() throws(OpusError) -> [Int16] {
        var decoder = try OpusSpeechDecoder.open(gainQ8: head.gainQ8)
        var samples: [Int16] = []
        var position: Int64 = 0
        for (index, packet) in packets.enumerated() {
            if packet.isAfterGap {
                let missing = min(max(missing(before: index, at: position), 0), Self.gapSamples48kMax)
                samples += [Int16](repeating: 0, count: Int(missing / 3))
                position += missing
                decoder.reset()
            }
            let decoded: [Int16]
            do throws(OpusError) { decoded = try decoder.decode(packet.bytes) } catch {
                guard error == .malformedPacket else { throw error }
                decoded = try decoder.conceal()
            }
            samples += decoded
            position += Int64(decoded.count) * 3
        }
        if let last = endGranule, last < position {
            samples.removeLast(min(samples.count, Int((position - last) / 3)))
        }
        samples.removeFirst(min(samples.count, head.preSkip48k / 3))
        return samples
    }

    /// Samples at 48 kHz between `position` and the start of packet `index`, from the next granule told.
    private func missing(before index: Int, at position: Int64) -> Int64 {
        guard let known = packets[index...].firstIndex(where: { $0.granule != nil }),
            let granule = packets[known].granule
        else { return 0 }
        let length = packets[index...known].reduce(0) { $0 + Int64(OpusPacket.samples48k($1.bytes) ?? 960) }
        // The granule is a stranger's number; taking the difference must not trap.
        let (difference, isOver) = granule.subtractingReportingOverflow(position + length)
        return isOver ? 0 : difference
    }
}
