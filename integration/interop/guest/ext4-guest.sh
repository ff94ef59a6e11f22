#!/bin/sh
# A Linux guest without a disk of its own that works on an ext4 filesystem: the workload of a crash test.
#
#   ext4-guest.sh kit FOLDER           makes the kernel and the root of the guest, from Debian's packages
#   ext4-guest.sh run FOLDER URI       mounts the filesystem that is on an NBD export, and works on it
#
# ROUNDS: how often it makes something durable, 300 unless told; after each it prints "acked N".
# MOUNT: options of the mount. CACHE: of qemu's -drive; "unsafe" acknowledges flushes and forgets them.
# Needs apt-get, dpkg-deb and qemu-system-x86_64; no root and no /dev/kvm.
set -eu

kit() {
  mkdir -p "$1" && cd "$1"
  package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p')
  apt-get download "$package" busybox-static
  for file in ./*.deb; do dpkg-deb -x "$file" debian; done
  cp debian/boot/vmlinuz-* vmlinuz
  mkdir -p root/bin root/dev root/proc root/sys root/mnt root/modules
  cp debian/bin/busybox root/bin/
  # In the order in which they are loaded.
  modules="virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk
    crc16 crc32c_generic libcrc32c mbcache jbd2 ext4"
  for module in $modules; do
    find debian/lib/modules -name "$module.ko" -exec cp {} root/modules/ \;
  done
  echo "$modules" >root/modules/order
  init >root/init
  chmod +x root/init
  (cd root && find . | ./bin/busybox cpio -o -H newc) | gzip >initrd.gz
}

# What the guest does: small files that replace one another, directories that come and go.
init() {
  cat <<'END'
#!/bin/busybox sh
/bin/busybox mkdir -p /usr/bin /usr/sbin /sbin
/bin/busybox --install -s
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do
  test ! -e "/modules/$module.ko" || insmod "/modules/$module.ko"
done
for word in $(cat /proc/cmdline); do
  case $word in
    rounds=*) rounds=${word#rounds=} ;;
    mount=*) options=${word#mount=} ;;
  esac
done
mount -t ext4 -o "$options" /dev/vda /mnt && cd /mnt || poweroff -f
round=1
while test "$round" -le "$rounds"; do
  mkdir -p "d$((round % 7))"
  seq "$round" "$((round + 40))" >"d$((round % 7))/f$((round % 11))"
  test "$((round % 5))" -ne 0 || rm -rf "d$(((round + 3) % 7))"
  echo "$round" | dd of=last.new conv=fsync 2>/dev/null
  mv last.new last
  sync
  echo "acked $round"
  round=$((round + 1))
done
poweroff -f
END
}

run() {
  timeout "${SECONDS_MAX:-3000}" qemu-system-x86_64 -M pc -m 256 -no-reboot -display none -serial stdio -nic none \
    -kernel "$1/vmlinuz" -initrd "$1/initrd.gz" \
    -append "console=ttyS0 quiet loglevel=0 rounds=${ROUNDS:-300} mount=${MOUNT:-defaults}" \
    -drive "file=$2,format=raw,if=virtio,cache=${CACHE:-none}" </dev/null
}

"$@"
