# Sourced by board/arm64/*: makes the cross compiler once, in the Debian 13 root of board/debian13/root.sh.
#
# The compiler is Debian 13's amd64 Swift 6.0.3; the target's modules and libraries are Debian 13's arm64 packages, of the
# same version, unpacked (never installed, never run) under /opt/arm64 of the root and wrapped as a Swift SDK bundle.

sdk=debian13-arm64
bundle=/opt/arm64/sdks/$sdk.artifactbundle
sysroot=$bundle/$sdk/aarch64-unknown-linux-gnu/sysroot
development="libc6-dev libstdc++-14-dev libasound2-dev libspeexdsp-dev libzstd-dev libsqlite3-dev libopus-dev libssl-dev libcurl4-openssl-dev libswiftlang"

# apt of the root, looking at arm64 alone, with a state of its own.
apt_arm64() {
    chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq -oAPT::Architecture=arm64 -oAPT::Architectures=arm64 \
        -oDir::State::Lists=/opt/arm64/lists -oDir::State::status=/opt/arm64/status -oDir::Cache=/opt/arm64/cache \
        -oAPT::Sandbox::User=root -oAPT::Install-Recommends=false "$@"
}

make_sdk() {
    [ "$(dpkg --print-architecture)" = amd64 ] || fail "cross-building is set up for an amd64 machine"
    wants qemu-user-static
    [ ! -e "$cache/arm64.ready" ] || return 0
    say "making the arm64 SDK (400 MB of downloads, two minutes)"
    rm -rf "$root/opt/arm64"
    mkdir -p "$root$sysroot" "$root/opt/arm64/lists/partial" "$root/opt/arm64/cache/archives/partial" "$root/opt/arm64/debs"
    : >"$root/opt/arm64/status"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    chroot "$root" dpkg --add-architecture arm64
    chroot "$root" sh -c 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        binutils-aarch64-linux-gnu dpkg-dev debhelper lintian libasound2t64:arm64 libsqlite3-0:arm64 libopus0:arm64 libssl3t64:arm64 \
        libcurl4t64:arm64 libspeexdsp1:arm64 libzstd1:arm64 libstdc++6:arm64' >"$cache/arm64.log" 2>&1 || {
        tail -20 "$cache/arm64.log" >&2
        fail "the packaging tools could not be installed in the root"
    }
    apt_arm64 update
    # The arm64 modules must be of the compiler's version to the last digit.
    version=$(chroot "$root" dpkg-query -W -f '${Version}' swiftlang)
    apt_arm64 install -y --download-only $development >/dev/null
    (cd "$root/opt/arm64/debs" && chroot "$root" sh -c "cd /opt/arm64/debs && apt-get -qq -oAPT::Architecture=arm64 \
        -oAPT::Architectures=arm64 -oDir::State::Lists=/opt/arm64/lists -oAPT::Sandbox::User=root download swiftlang=$version" >/dev/null)
    for deb in "$root"/opt/arm64/cache/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root$sysroot" --keep-directory-symlink \
            --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale
    done
    # Modules, static libraries and compiler-rt are in the compiler's own package.
    dpkg-deb --fsys-tarfile "$root"/opt/arm64/debs/swiftlang_*_arm64.deb | tar -x -C "$root$sysroot" --wildcards \
        './usr/libexec/swift/lib/swift' './usr/libexec/swift/lib/swift_static' './usr/libexec/swift/lib/clang'
    rm -rf "$root$sysroot"/usr/libexec/swift/lib/swift/{host,pm,migrator,embedded} "$root"/opt/arm64/{debs,cache}
    ln -sfn usr/lib "$root$sysroot/lib"
    ln -sfn ../libexec/swift/lib/swift "$root$sysroot/usr/lib/swift"
    ln -sfn ../libexec/swift/lib/swift_static "$root$sysroot/usr/lib/swift_static"
    echo '{"DisplayName":"Debian arm64","Version":"13","MaximumDeploymentTarget":"13"}' >"$root$sysroot/SDKSettings.json"
    cat >"$root$bundle/info.json" <<J
{ "schemaVersion": "1.0", "artifacts": { "$sdk": { "type": "swiftSDK", "version": "${version%%-*}",
  "variants": [ { "path": "$sdk/aarch64-unknown-linux-gnu",
                  "supportedTriples": [ "x86_64-pc-linux-gnu", "x86_64-unknown-linux-gnu" ] } ] } } }
J
    cat >"$root$sysroot/../swift-sdk.json" <<'J'
{ "schemaVersion": "4.0", "targetTriples": { "aarch64-unknown-linux-gnu": {
  "sdkRootPath": "sysroot", "swiftResourcesPath": "sysroot/usr/lib/swift",
  "swiftStaticResourcesPath": "sysroot/usr/lib/swift_static", "toolsetPaths": [ "toolset.json" ] } } }
J
    cat >"$root$sysroot/../toolset.json" <<'J'
{ "schemaVersion": "1.0", "rootPath": "/usr/libexec/swift/bin",
  "swiftCompiler": { "extraCLIOptions": [ "-use-ld=lld" ] }, "linker": { "path": "ld.lld" } }
J
    touch "$cache/arm64.ready"
}

# swift_arm64 ARGUMENTS...: `swift build` for arm64 of what lay_sources put in /build/execora-arm64.
swift_arm64() {
    local pc=$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig:$sysroot/usr/share/pkgconfig
    chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/bin:/bin LANG=C.UTF-8 EXECORA_DEVICE_ONLY=1 \
        PKG_CONFIG_LIBDIR="$pc" PKG_CONFIG_PATH="$pc" PKG_CONFIG_SYSROOT_DIR="$sysroot" \
        sh -c 'cd /build/execora-arm64 && exec "$@"' sh "$swift" build --swift-sdks-path /opt/arm64/sdks --swift-sdk "$sdk" \
        --scratch-path .build-arm64 --disable-sandbox "$@"
}

# run_arm64 PROGRAM ARGUMENTS...: an arm64 program here, through qemu.
run_arm64() {
    qemu-aarch64-static -L "$root$sysroot" -E LD_LIBRARY_PATH="$root$sysroot/usr/libexec/swift/lib/swift/linux" "$@"
}
