# Sourced by the scripts that work in a Debian 13 root: board/debian13/check, board/arm64/*, board/packages/*.
# The root lies in $EXECORA_CACHE/debian13 (2.5 GB, 700 MB of downloads the first time) and holds Swift 6.0.3. It names no
# mirror: that, and what apt was told about proxies and dates, comes from this machine's own apt configuration.

cache=${EXECORA_CACHE:-$HOME/.cache/execora}
root=$cache/debian13

fail() {
    echo "${me:-debian13}: $*" >&2
    exit 1
}
say() { echo "${me:-debian13}: $*"; }

# What apt of this machine uses, `deb` lines and deb822 files alike: the first archive named .../debian.
mirror() {
    {
        sed -n 's/^URIs:[[:space:]]*//p' /etc/apt/sources.list.d/*.sources 2>/dev/null | tr ' ' '\n'
        awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; break } }' \
            /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null
    } | sed 's#/$##' | grep -E '/debian$' | head -1 || true
}

apt_settings() { apt-config dump | grep -E '^Acquire::(Check-Valid-Until|Check-Date|(http|https)::Proxy) ' || true; }

# wants PACKAGE...: installs what this machine lacks.
wants() {
    local missing="" package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "installing Debian packages:$missing"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# bootstrap SUITE ARCHITECTURE FOLDER PACKAGE,PACKAGE...: a Debian root, documentation left out.
bootstrap() {
    local options=() line
    wants mmdebstrap
    while read -r line; do [ -z "$line" ] || options+=(--aptopt="$line"); done < <(apt_settings)
    mmdebstrap --variant=apt --quiet --architectures="$2" "${options[@]}" \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --include="$4" "$1" "$3" "deb $(mirror) $1 main"
}

# One user of the root at a time: the second would lose /proc when the first ends.
take_root() {
    [ "$(id -u)" = 0 ] || fail "needs root for the chroot; run: sudo $0"
    mkdir -p "$cache"
    exec 9>"$cache/debian13.lock"
    flock 9
    trap leave_root EXIT
    [ "${1:-}" = unmade ] || make_root
}

# The compiler finds its parts through /proc. Nothing else of this machine is mounted, so removing is harmless.
leave_root() { ! mountpoint -q "$root/proc" || umount "$root/proc"; }

make_root() {
    if [ ! -e "$root.ready" ]; then
        say "making a Debian 13 root with Swift (700 MB of downloads, a few minutes)"
        leave_root
        rm -rf --one-file-system "$root"
        bootstrap trixie "$(dpkg --print-architecture)" "$root" \
            swiftlang,ca-certificates,git,gcc,g++,make,pkgconf,libc6-dev,libasound2-dev,libspeexdsp-dev,libzstd-dev,libsqlite3-dev,libopus-dev,libssl-dev,libcurl4-openssl-dev,binutils ||
            fail "the Debian 13 root could not be made"
        touch "$root.ready"
    fi
    mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
    swift=$(chroot "$root" sh -c 'command -v swift || ls /usr/libexec/swift/bin/swift')
}

# lay_sources FOLDER_IN_ROOT: what git tracks, as it stands in the work tree; build products there are kept, so that a
# second run compiles what changed.
lay_sources() {
    local work=$root$1 repository
    repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
    "$repository/board/debian13/manifest"
    mkdir -p "$work"
    find "$work" -mindepth 1 -maxdepth 1 ! -name '.build*' -exec rm -rf {} +
    (cd "$repository" && git ls-files -z | while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
        tar --null -T - -c) | tar -x -C "$work"
}
