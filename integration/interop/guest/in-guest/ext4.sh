# Works on the ext4 filesystem of the first disk: small files that replace one another, directories that
# come and go. After each round it makes durable what it did, and says so.
mount -t ext4 -o "$options" /dev/vda /mnt && cd /mnt || exit 1
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
