#!/bin/busybox sh
# The first process of the guest: makes the machine ready, and does the work that the kernel's command
# line names: what stands there as NAME=VALUE is a variable here.
/bin/busybox mkdir -p /usr/bin /usr/sbin /sbin
/bin/busybox --install -s
# Of two programs of one name that of /bin is the larger one, not busybox.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
# There is no udev that would make the names of mapped devices.
export DM_DISABLE_UDEV=1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
while read -r module settings; do
  insmod "/modules/$module.ko" $settings || echo "no module $module"
done </modules/order
ip link set lo up
if test -e /sys/class/net/eth0; then
  ip address add 10.0.2.15/24 dev eth0
  ip link set eth0 up
fi
sh "/work/$work.sh"
poweroff -f
