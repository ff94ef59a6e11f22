# Runs the commands that come over the second serial line, each in a process of its own, so that one
# that hangs does not hold up the others. A command is a line, "NUMBER TEXT", and so is the answer to
# it, "NUMBER STATUS OUTPUT"; text and output are in base64.
exec 3<>/dev/ttyS1
stty raw -echo <&3
mkdir -p /run/jobs
# What the kernel says of its devices is for whoever looks for what went wrong.
dmesg -n 7

do_job() {
  echo "$2" | base64 -d >"/run/jobs/$1"
  # The shell of busybox would take its own programs for all those of the same name.
  dash "/run/jobs/$1" >"/run/jobs/$1.out" 2>&1 </dev/null 3>&-
  status=$?
  output=$(base64 "/run/jobs/$1.out" | tr -d '\n')
  (
    flock 4
    echo "$1 $status $output" >&3
  ) 4>/run/lock
  rm "/run/jobs/$1" "/run/jobs/$1.out"
}

echo "0 0 " >&3
while read -r number text <&3; do
  # Nobody's child: a shell that hears of the end of one while it reads forgets what it has read.
  (do_job "$number" "$text" &)
done
