#!/bin/sh
# Takes out of a Debian with Python what installs software, unpacks archives or changes users. The
# Dockerfile runs it as root, in a stage that is copied afterwards. Debian's list of packages stays
# and tells the truth: programs that look for known weaknesses read it.
set -eu

unwanted=$(dpkg-query --show --showformat '${Package}\n' | grep -xE \
  -e 'apt|libapt-pkg.*|debconf|debian-archive-keyring|dpkg|gpgv|perl-base|sqv' \
  -e 'python3-(pip|wheel|setuptools|venv|packaging)|python3-.*-whl|python3\.[0-9]+-venv' \
  -e 'adduser|libpam.*|login|login\.defs|mount|passwd|util-linux|bsdutils|e2fsprogs' \
  -e 'bash|diffutils|findutils|tar|init-system-helpers|sysvinit-utils' \
  -e 'lib(audit|blkid|bsd|cap-ng|debconfclient|hogweed|lastlog|lz4-|md|mount|nettle)[-0-9a-z]*' \
  -e 'lib(seccomp|semanage|sepol|smartcols|systemd|udev|xxhash)[-0-9a-z]*')

# By their lists of files: their own scripts would refuse, or miss each other.
# shellcheck disable=SC2086  # one word each
dpkg-query --listfiles $unwanted | sort -u >/files
awk -v names="$unwanted" '
  BEGIN { RS = ""; ORS = "\n\n"; FS = "\n"
          count = split(names, all); for (i = 1; i <= count; i++) dropped["Package: " all[i]] }
  !($1 in dropped)' /var/lib/dpkg/status >/status
while read -r path; do
  [ -d "$path" ] || rm -f "$path"
done </files
mv /status /var/lib/dpkg/status

# Python's own: what installs packages, its tests, its editor and its windows. Its bytecode is made
# here, because nothing can be written where it runs.
library=$(python -c 'import os; print(os.path.dirname(os.__file__))')
for name in _pyrepl ensurepip idlelib pydoc_data test tkinter turtledemo; do
  rm -rf "${library:?}/$name"
done
rm -rf "$library"/site-packages/* "$library"/lib-dynload/_tkinter.*
rm -rf /usr/lib/python3/dist-packages /usr/local/bin/pip* /usr/local/bin/idle*
python -m compileall -q --invalidation-mode unchecked-hash "$library"

# Tables of glibc's iconv, which Python does not use; caches and logs.
rm -rf /usr/lib/*/gconv /var/cache/* /var/log/* /var/lib/apt /var/lib/dpkg/info /etc/apt /files

# What is left has every library that it needs.
set -- /lib*/ld-linux*.so.*
loader=$1
for file in /usr/bin/* /usr/sbin/* /usr/local/bin/* /usr/lib/*/*.so* /usr/local/lib/*.so* \
  "$library"/lib-dynload/*; do
  if "$loader" --list "$file" 2>/dev/null | grep 'not found'; then
    echo "$file lacks a library" >&2
    exit 1
  fi
done
