#!/bin/sh
# A filesystem as a power cut has left it ($image): the journal is replayed, as at a mount, and then
# nothing may be wrong; and the round that was acknowledged ($mark) is there, or a later one.
set -eu
e2fsck -E journal_only -y "$image" >/dev/null 2>&1 || true
e2fsck -fn "$image" 2>&1
case $mark in
  "acked "*)
    last=$(debugfs -R 'cat last' "$image" 2>/dev/null)
    test "${last:-0}" -ge "${mark#acked }" ||
      { echo "round ${mark#acked } was acknowledged, and ${last:-none} is the last there"; exit 1; }
    ;;
esac
