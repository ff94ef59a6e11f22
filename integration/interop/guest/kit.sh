#!/bin/sh
# Makes a Linux guest without a disk of its own, from Debian's packages: FOLDER/vmlinuz and
# FOLDER/initrd.gz. What is there already and no older than these scripts is kept.
#
#   kit.sh FOLDER
#
# Needs apt-get, apt-cache and dpkg-deb; no root. The packages are about 90 MB.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
programs="bin/busybox bin/dash bin/dd sbin/nbd-client sbin/dmsetup sbin/mke2fs sbin/e2fsck sbin/fstrim sbin/blkdiscard bin/flock"
packages="busybox-static dash coreutils nbd-client dmsetup e2fsprogs util-linux"
modules="virtio_pci virtio_blk virtio_net crc32c_generic ext4 nbd dm_snapshot"

main() {
  mkdir -p "$1" && cd "$1"
  if is_made; then return; fi
  echo "guest: making the guest, once, of 90 MB of Debian's packages …" >&2
  rm -rf debian root initrd.gz
  fetch
  mkdir -p root/bin root/dev root/proc root/sys root/tmp root/run root/mnt root/modules root/work
  cp debian/boot/vmlinuz-* vmlinuz
  for program in $programs; do add_program "$program"; done
  for module in $modules; do add_module "$module"; done
  cp "$here"/in-guest/*.sh root/work/
  mv root/work/init.sh root/init
  chmod +x root/init
  (cd root && find . | ./bin/busybox cpio -o -H newc) | gzip -1 >initrd.new
  mv initrd.new initrd.gz
  rm -rf debian root
}

is_made() {
  test -e initrd.gz && test -z "$(find "$here" -newer initrd.gz)"
}

# The packages, and the libraries that they need, but nothing else that they would have.
fetch() {
  kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p')
  libraries=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances $packages | grep -E '^lib' | sort -u)
  mkdir -p packages debian
  (cd packages && apt-get -qq download $kernel $packages $libraries)
  for file in packages/*.deb; do dpkg-deb -x "$file" debian; done
}

# A program, with the libraries that its loader asks for.
add_program() {
  file=debian/$1
  test -e "$file" || file=debian/usr/$1
  cp "$file" root/bin/
  test "$1" != bin/busybox || return 0
  found=$(ls -d debian/lib/x86_64-linux-gnu debian/usr/lib/x86_64-linux-gnu | paste -sd:)
  debian/lib64/ld-linux-x86-64.so.2 --library-path "$found" --list "$file" |
    sed -n 's/.* => \(.*\) (.*/\1/p' | while read -r library; do
      mkdir -p root/lib root/lib64
      cp -L "$library" root/lib/
    done
  cp -L debian/lib64/ld-linux-x86-64.so.2 root/lib64/
}

# A module behind those that it needs, which is the order in which they are loaded.
add_module() {
  file=$(find debian/lib/modules -name "$(echo "$1" | tr _- '??').ko")
  test -n "$file" || return 0
  name=$(basename "$file" .ko)
  test ! -e "root/modules/$name.ko" || return 0
  for needed in $(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' | tr , ' '); do
    (add_module "$needed")
  done
  cp "$file" root/modules/
  # Partitions of an nbd device are only looked for when it may have some.
  test "$name" != nbd || name="nbd max_part=8 nbds_max=4"
  echo "$name" >>root/modules/order
}

main "$@"
