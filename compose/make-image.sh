#!/usr/bin/env bash
# An etcd image out of binaries on this machine, for where no image registry is reachable:
#
#   compose/make-image.sh local/etcd:3.4.23 /path/of/etcd /usr/bin/etcdctl
#
# The image holds these programs in /usr/bin and the libraries that ldd names for them; it has no shell.
set -euo pipefail

if (($# < 2)); then
  echo "usage: $0 IMAGE PROGRAM..." >&2
  exit 2
fi
image=$1
shift

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/usr/bin" "$root/tmp"

for program in "$@"; do
  install -m 755 "$program" "$root/usr/bin/"
  # A static program has no libraries, and ldd says so with an error.
  for library in $(ldd "$program" 2>/dev/null | grep -o '/[^ ]*' || true); do
    install -D -m 755 "$library" "$root$library"
  done
done

tar -C "$root" -c . | docker import --change 'ENV PATH=/usr/bin' --change "CMD [\"$(basename "$1")\"]" - "$image"
