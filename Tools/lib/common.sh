# Shared by the scripts in Tools. Source it; it changes to the package's folder.

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Debian packages that building and running need.
build_packages=(
    libavformat-dev libavcodec-dev libavutil-dev libswscale-dev libswresample-dev
    libsqlite3-dev zlib1g-dev pkg-config curl ffmpeg
)

# What the tests need besides.
test_packages=(mkvtoolnix gcc libc6-dev python3 procps)

# Installs those of the packages that are missing.
install_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "install ok installed" \
            || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "Installing ${missing[*]}"
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    command -v apt-get >/dev/null || die "apt-get is missing: install ${missing[*]} by hand."
    "${root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null \
        || die "apt-get could not install ${missing[*]}."
}

need_swift() {
    command -v swift >/dev/null \
        || die "swift is missing: install Swift 6.2 or newer from https://www.swift.org/install/linux."
}
