# The first process of an attempt's container. $1 the attempt's folder, $2 its script.
# Kubernetes can only end a container. Other signals come as lines of a file beside the script: who may end a job needs
# no right to run commands in it, and none of the machinery for that.
told() { kill -s "$1" -- -1; }
trap 'told TERM' TERM # the kubelet's own: an eviction, a drain, the cluster's time limit
if [ -e "$1/claim" ]; then echo duplicate >/dev/termination-log; else echo "$BAYGRID_POD" >"$1/pod"; fi

# A shell keeps INT and QUIT from what it starts beside itself, unless something gives them back.
fresh='env --default-signal=INT,QUIT'
$fresh true 2>/dev/null || fresh=
$fresh /bin/sh "$2" &
task=$!

(
  trap '' TERM INT HUP QUIT USR1 USR2
  done=0
  while sleep 0.5; do
    line=0
    while read -r signal; do
      line=$((line + 1))
      if [ "$line" -gt "$done" ]; then
        done=$line
        told "$signal"
      fi
    done <"$1/signals"
  done
) 2>/dev/null &

while :; do
  wait "$task"
  code=$?
  if [ "$code" -le 128 ] || ! kill -0 "$task" 2>/dev/null; then break; fi
done
for peak in /sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes; do
  if [ -r "$peak" ]; then cat "$peak" >"$1/peak"; fi
done 2>/dev/null
exit "$code"
