# shellcheck shell=bash disable=SC2034
# Finds what builds and runs containers here: Docker where its engine answers, else podman. As root,
# podman keeps its images below the project's cache and leaves the machine's settings alone; on
# Debian it is installed first if need be. Sets `engine` and `build_options`, defines `say`, `fail`.

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${IMAGE_CACHE:-$project/.cache/image}
limit_seconds=${IMAGE_SECONDS:-900}
build_options=(--file "${DOCKERFILE:-Dockerfile}")

say() { printf '[image %3ds] %s\n' "$SECONDS" "$*" >&2; }
fail() { printf 'The image: %s\n' "$*" >&2; exit 1; }

# Runs a command for so many seconds at most; Ctrl-C reaches it. (macOS has no such program.)
at_most() {
  local seconds=$1
  shift
  if command -v timeout >/dev/null; then
    timeout --foreground -k 10 "$seconds" "$@"
  else
    "$@"
  fi
}

# Runs a command until the time for everything is over.
bounded() { at_most $((limit_seconds > SECONDS ? limit_seconds - SECONDS : 1)) "$@"; }

install_missing() {
  local missing=() package
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  { bounded apt-get update -qq &&
    bounded apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null ||
    fail "apt-get cannot install ${missing[*]}: install them by hand, or start a Docker engine."
}

# A podman for this project alone. Every limit that podman asks for by default is one that root may
# lack the right to raise, bridges need iptables, and Debian's crun refuses mixed cgroups: runc.
private_podman() {
  local files processes
  files=$(ulimit -Hn) processes=$(ulimit -Hu)
  [[ $files =~ ^[0-9]+$ ]] || files=65536
  [[ $processes =~ ^[0-9]+$ ]] && ((processes < 32768)) || processes=32768
  mkdir -p "$cache/tmp"
  cat >"$cache/storage.conf" <<EOF
[storage]
driver = "overlay"
graphroot = "$cache/store"
runroot = "$cache/run"
[storage.options.overlay]
skip_mount_home = "true"
EOF
  cat >"$cache/containers.conf" <<EOF
[containers]
default_ulimits = ["nofile=$files:$files", "nproc=$processes:$processes"]
netns = "host"
[engine]
runtime = "$(command -v runc >/dev/null && echo runc || echo crun)"
cgroup_manager = "cgroupfs"
events_logger = "file"
EOF
  export CONTAINERS_STORAGE_CONF=$cache/storage.conf CONTAINERS_CONF=$cache/containers.conf
  export TMPDIR=$cache/tmp
  build_options+=(--isolation chroot --network host --layers=false --force-rm)
}

# On some machines `docker` is podman in disguise.
if [[ $(docker --version 2>/dev/null) == Docker* ]] && at_most 20 docker info >/dev/null 2>&1; then
  engine=docker
else
  engine=podman
  if [[ $(id -u) == 0 && -e /etc/debian_version ]]; then
    install_missing podman runc uidmap
  fi
  command -v podman >/dev/null ||
    fail "no Docker engine answers and there is no podman: start Docker, or install podman" \
      "(apt-get install podman, dnf install podman, brew install podman)."
  [[ $(id -u) != 0 ]] || private_podman
  build_options+=(--format docker) # the other format has no HEALTHCHECK
fi
