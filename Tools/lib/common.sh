# Shell functions for the tools of this folder; sourced, not run.

# Says what is wrong and ends the tool.
die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Ends the tool with advice when there is no Swift.
require_swift() {
    command -v swift >/dev/null 2>&1 ||
        die "There is no 'swift' in PATH. Install Swift 6.2 or newer (https://www.swift.org/install)."
}

# What the program is built with, and what only the tools and tests use.
BUILD_PACKAGES="pkg-config libavformat-dev libavcodec-dev libswscale-dev libswresample-dev
    libsqlite3-dev zlib1g-dev"
MEDIA_PACKAGES="ffmpeg curl"
TEST_PACKAGES="$MEDIA_PACKAGES mkvtoolnix python3 procps"

# Installs those of the named Debian packages that are missing, without asking anything.
ensure_packages() {
    local package missing=()
    if ! command -v dpkg-query >/dev/null 2>&1; then
        printf 'This is no Debian; these are taken as installed under other names: %s\n' "$*" >&2
        return 0
    fi
    for package in "$@"; do
        has_package "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    require_root
    printf 'Installing: %s\n' "${missing[*]}"
    # The lists may be missing or old; they are fetched only when it does not work without.
    install_packages "${missing[@]}" >/dev/null 2>&1 && return 0
    as_root apt-get update -q || return 1
    install_packages "${missing[@]}"
}

# Whether a package, or another that gives the same program, is installed.
has_package() {
    case $1 in
    pkg-config | ffmpeg | curl | python3) command -v "$1" >/dev/null 2>&1 && return 0 ;;
    procps) command -v pgrep >/dev/null 2>&1 && return 0 ;;
    mkvtoolnix) command -v mkvmerge >/dev/null 2>&1 && return 0 ;;
    esac
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'
}

install_packages() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$@"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Ends the tool with advice where packages cannot be installed.
require_root() {
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1 ||
        die "Packages have to be installed, but this is not root and there is no sudo. As root: apt-get install $BUILD_PACKAGES $TEST_PACKAGES"
}
