import Glibc

// Flash: what must be there after the plug is pulled. Bytes enter; they lie whole under their name, on flash, or the old
// ones do. Any thread; the caller waits for the disk. Holds nothing.
//
// SQLite has its own way to the disk; everything else that must last goes through here: keys, kept turns, names of
// backups, the list of the erased.

/// Why a file is not as it was asked to be. What was there before is there still.
public struct FlashError: Error, Hashable, Sendable {
    /// `errno`.
    public var code: Int32
    public var operation: String
    public var path: String

    public init(code: Int32, operation: String, path: String) {
        (self.code, self.operation, self.path) = (code, operation, path)
    }

    public var isFull: Bool { code == ENOSPC || code == EDQUOT }
}

public enum Flash {
    /// Replaces a file whole: written beside, synced, renamed over, the folder synced. After any kill or power cut it is
    /// the old file or the new one. Mode 0600.
    ///
    /// - Parameter beside: where it is written first, in the same folder; what a cut left there is removed.
    public static func put(
        _ bytes: [UInt8], at path: String, beside: String, by calls: any FlashCalls = calls
    ) throws(FlashError) {
        if calls.unlink(beside) != 0, errno != ENOENT { throw fault("unlink", beside) }
        try fill(beside, by: calls) { (file) throws(FlashError) in try write(bytes, to: file, beside, by: calls) }
        guard calls.rename(beside, path) == 0 else {
            let refused = fault("rename", path)
            _ = calls.unlink(beside)
            throw refused
        }
        try syncFolder(of: path, by: calls)
    }

    /// Makes a file, fills and syncs it; its name is not yet certain. One that could not be filled is removed.
    public static func fill(
        _ path: String, by calls: any FlashCalls = calls, _ body: (Int32) throws(FlashError) -> Void
    ) throws(FlashError) {
        let file = calls.create(path)
        guard file >= 0 else { throw fault("open", path) }
        do throws(FlashError) {
            defer { calls.close(file) }
            try body(file)
            guard calls.sync(file) == 0 else { throw fault("fsync", path) }
        } catch {
            _ = calls.unlink(path)
            throw error
        }
    }

    /// All of the bytes, at the end of an open file.
    public static func write(
        _ bytes: [UInt8], to file: Int32, _ path: String, by calls: any FlashCalls = calls
    ) throws(FlashError) {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { calls.write(file, $0) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw FlashError(code: count < 0 ? errno : ENOSPC, operation: "write", path: path)
            }
            done += count
        }
    }

    /// Gives a file another name, for certain when this returns.
    public static func move(_ from: String, to path: String, by calls: any FlashCalls = calls) throws(FlashError) {
        guard calls.rename(from, path) == 0 else { throw fault("rename", path) }
        try syncFolder(of: path, by: calls)
    }

    /// Removes a name. What is not there is removed already.
    ///
    /// - Parameter isLasting: for certain when this returns; otherwise a power cut may bring it back.
    public static func remove(
        _ path: String, isLasting: Bool, by calls: any FlashCalls = calls
    ) throws(FlashError) {
        guard calls.unlink(path) == 0 || errno == ENOENT else { throw fault("unlink", path) }
        if isLasting { try syncFolder(of: path, by: calls) }
    }

    /// Puts a file's bytes, written by whomever, and its name on flash.
    public static func sync(_ path: String, by calls: any FlashCalls = calls) throws(FlashError) {
        guard calls.syncContent(path) == 0 else { throw fault("fsync", path) }
        try syncFolder(of: path, by: calls)
    }

    /// Makes a folder 0700, or sets an existing one to that. A new one's name is certain when this returns.
    public static func makeFolder(_ path: String, by calls: any FlashCalls = calls) throws(FlashError) {
        let isNew = mkdir(path, 0o700) == 0
        guard isNew || errno == EEXIST else { throw fault("mkdir", path) }
        guard chmod(path, 0o700) == 0 else { throw fault("chmod", path) }
        if isNew { try syncFolder(of: path, by: calls) }
    }

    public static func syncFolder(of path: String, by calls: any FlashCalls = calls) throws(FlashError) {
        guard calls.syncFolder(folder(of: path)) == 0 else { throw fault("fsync", folder(of: path)) }
    }

    /// What a folder holds, in order of name, without "." and "..".
    public static func names(in folder: String) throws(FlashError) -> [String] {
        guard let stream = opendir(folder) else { throw fault("opendir", folder) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The folder a path lies in.
    public static func folder(of path: String) -> String {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        return slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    private static func fault(_ operation: String, _ path: String) -> FlashError {
        FlashError(code: errno, operation: operation, path: path)
    }
}
