import Flash
import Glibc

/// Recordings in a folder of this machine, 0600 in folders 0700. Blocking calls of milliseconds, on the archive's own task.
struct FolderArchive: ArchiveStore {
    let path: String

    func put(_ bytes: [UInt8], key: String) async throws {
        var folder = path
        for part in key.split(separator: "/").dropLast() {
            folder += "/" + part
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw fault("mkdir", folder) }
        }
        let place = path + "/" + key
        // A name of its own until it is whole.
        let part = place + ".part"
        let file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw fault("open", part) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { write(file, $0.baseAddress! + written, $0.count - written) }
            guard count > 0 else {
                let error = fault("write", part)
                close(file)
                unlink(part)
                throw error
            }
            written += count
        }
        guard fsync(file) == 0, close(file) == 0, rename(part, place) == 0 else { throw fault("rename", place) }
    }

    func keys(prefix: String) async throws -> [String] {
        var found: [String] = []
        func look(in folder: String, under: String) {
            for name in names(folder) where found.count < Self.keysMax {
                let key = under.isEmpty ? name : under + "/" + name
                var status = stat()
                guard lstat(folder + "/" + name, &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR {
                    look(in: folder + "/" + name, under: key)
                } else if key.hasPrefix(prefix) {
                    found.append(key)
                }
            }
        }
        look(in: path, under: "")
        return found
    }

    func remove(key: String) async throws {
        guard unlink(path + "/" + key) == 0 || errno == ENOENT else { throw fault("unlink", key) }
        // The day's folder goes with its last recording; one that is not empty stays.
        rmdir(path + "/" + key.split(separator: "/").dropLast().joined(separator: "/"))
    }

    private func names(_ folder: String) -> [String] {
        (try? Flash.names(in: folder)) ?? []
    }

    private func fault(_ operation: String, _ path: String) -> GatewayError {
        .file(path: path, code: errno, operation: operation)
    }
}
