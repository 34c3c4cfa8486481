# Runs one attempt: claim first, then setup, then run, then one complete line that says how it ended.
# $1 its directory, $2 what it was given (kept in the claim), $3 setup or nothing, $4 run (texts for a shell),
# then one list of accelerators for each rank. Only builtins stand before the user's commands: a start is cheap.
# Its standard output and error are the attempt's log; what this shell itself has to say is not part of it.
set -C
exec 2>/dev/null
read -r stat </proc/self/stat
read -r boot </proc/sys/kernel/random/boot_id
cd "$1" || exit 74
# The claim: created by exactly one, whoever else runs this script for the same attempt leaves here.
{ printf '%s\n%s\n%s\n' "$stat" "$boot" "$2"; } >claim || exit 73

# In a subshell of its own, which is left as a new shell would be: an exec less for each start.
of_user() {
  cd work || exit 2
  exec 2>&1
  set +C
  trap - TERM INT HUP USR1
  text="unset stat boot stopped failed code phase setup run rank pids devices text; $1"
  set --
  eval "$text"
}

stopped='' failed='' code=0 phase=setup
trap 'stopped=1' TERM INT HUP
setup=$3 run=$4
shift 4

if [ -n "$setup" ]; then
  (of_user "$setup")
  code=$?
fi

if [ "$code" = 0 ] && [ -z "$stopped" ]; then
  phase=run
  if [ $# = 1 ]; then
    (of_user "$run")
    code=$?
  else
    # One process for each rank. The first that fails ends the gang: the others would wait for it for ever.
    trap 'failed=1' USR1
    rank=0 pids=''
    for devices; do
      (
        export NODE_RANK=$rank CUDA_VISIBLE_DEVICES=$devices
        (of_user "$run")
        code=$?
        [ "$code" = 0 ] || { echo "$code" >failed && kill -USR1 $$; }
        exit "$code"
      ) &
      pids="$pids $!"
      rank=$((rank + 1))
    done
    for pid in $pids; do
      [ -z "$failed" ] || break
      wait "$pid"
      one=$?
      while [ -z "$failed" ] && [ "$one" -gt 128 ] && kill -0 "$pid"; do
        wait "$pid"
        one=$?
      done
      [ "$one" = 0 ] || code=$one
    done
    [ ! -e failed ] || read -r code <failed
  fi
fi
{
  times
  printf 'exit %s %s\n' "$code" "$phase"
} >|exit
