#!/bin/sh
# A Linux guest that works on an ext4 filesystem: the workload of a crash test.
#
#   ext4-guest.sh kit FOLDER           makes the kernel and the root of the guest, as kit.sh does
#   ext4-guest.sh run FOLDER URI       mounts the filesystem that is on an NBD export, and works on it
#
# ROUNDS: how often it makes something durable, 300 unless told; after each it prints "acked N".
# MOUNT: options of the mount. CACHE: of qemu's -drive; "unsafe" acknowledges flushes and forgets them.
# Needs qemu-system-x86_64; no root and no /dev/kvm.
set -eu

kit() {
  "$(dirname "$0")/kit.sh" "$1"
}

run() {
  timeout "${SECONDS_MAX:-3000}" qemu-system-x86_64 -M pc -m 256 -no-reboot -display none -serial stdio -nic none \
    -kernel "$1/vmlinuz" -initrd "$1/initrd.gz" \
    -append "console=ttyS0 quiet loglevel=0 work=ext4 rounds=${ROUNDS:-300} options=${MOUNT:-defaults}" \
    -drive "file=$2,format=raw,if=virtio,cache=${CACHE:-none}" </dev/null
}

"$@"
