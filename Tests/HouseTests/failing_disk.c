// Stands before the C library of a daemon under test: while the file named by EXECORA_FAULT is there, its first letter
// says what the disk refuses: s, every sync fails with EIO; w, every write of a page fails with EIO; f, there is no space.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static char fault(void) {
    const char *path = getenv("EXECORA_FAULT");
    char letter = 0;
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    if (read(file, &letter, 1) != 1) letter = 0;
    close(file);
    return letter;
}

static int refuse(int code) {
    errno = code;
    return -1;
}

int fsync(int file) {
    if (fault() == 's') return refuse(EIO);
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
}

int fdatasync(int file) {
    if (fault() == 's') return refuse(EIO);
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(file);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    switch (fault()) {
    case 'w': return refuse(EIO);
    case 'f': return refuse(ENOSPC);
    default: return ((ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64"))(file, bytes, count, offset);
    }
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) { return pwrite64(file, bytes, count, offset); }
