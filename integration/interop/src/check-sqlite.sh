#!/bin/sh
# Takes the files of SQLite off a block device, as a power cut has left them ($image), and has the
# sqlite3 of the system recover them. Nothing may be wrong with the database, and no transaction
# missing that was acknowledged ($mark).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
slot=0
for file in db db-journal db-wal; do
  entry=$(dd if="$image" bs=512 skip="$slot" count=1 status=none | tr -d '\0')
  slot=$((slot + 1))
  case $entry in
    "$file "*)
      dd if="$image" of="$folder/$file" bs=1M skip="$slot" count=1 status=none
      truncate -s "${entry#* }" "$folder/$file"
      ;;
  esac
done
test -e "$folder/db" || : >"$folder/db"
verdict=$(sqlite3 "$folder/db" 'PRAGMA integrity_check' 2>&1) || true
test "$verdict" = ok || { echo "integrity_check: $verdict"; exit 1; }
acked=${mark#commit }
test -n "$acked" || exit 0
rows=$(sqlite3 "$folder/db" 'SELECT count(*) || " " || ifnull(max(id), 0) FROM t' 2>&1) || true
set -- $rows
test "$1" = "${2:-}" || { echo "rows are missing: $rows"; exit 1; }
test "$2" -ge "$acked" || { echo "commit $acked was acknowledged, and $2 is the last there"; exit 1; }
