import Glibc
import Testing

@testable import execorad

@Suite struct DiskWatchTests {
    /// Design C.7, on a partition of 1 GB and on a disk of 1 TB.
    @Test(
        arguments: [
            (160, .ample), (149, .low), (100, .low), (99, .tight), (50, .tight), (49, .scarce), (20, .scarce),
            (19, .bare), (0, .bare),
        ] as [(Int64, DiskLevel)])
    func `what gives way follows the share that is free`(megabytes: Int64, level: DiskLevel) {
        #expect(DiskLevel(freeBytes: megabytes * 1_000_000, sizeBytes: 1_000_000_000) == level)
    }

    @Test(arguments: [(257, .ample), (255, .low), (127, .tight), (63, .scarce), (31, .bare)] as [(Int64, DiskLevel)])
    func `a large disk is judged by bytes`(mebibytes: Int64, level: DiskLevel) {
        #expect(DiskLevel(freeBytes: mebibytes << 20, sizeBytes: 1 << 40) == level)
    }

    @Test func `the ballast is laid down in real blocks where there is plenty`() {
        var template = Array("/tmp/execora-disk-XXXXXX".utf8CString)
        let folder = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
        defer {
            unlink(folder + "/ballast")
            rmdir(folder)
        }
        var watch = DiskWatch(folder: folder)
        #expect(!watch.holdsBallast)
        _ = watch.look()
        var facts = stat()
        #expect(watch.holdsBallast && stat(folder + "/ballast", &facts) == 0)
        #expect(
            Int64(facts.st_size) == DiskWatch.ballastBytes && Int64(facts.st_blocks) * 512 >= DiskWatch.ballastBytes)
        #expect(DiskWatch(folder: folder).holdsBallast)
        // A folder that is gone changes nothing and stops nothing.
        var lost = DiskWatch(folder: folder + "/nowhere")
        #expect(lost.look().level == .ample)
    }
}
