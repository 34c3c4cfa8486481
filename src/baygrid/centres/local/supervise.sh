# Runs one attempt: claim first, then setup, then run, then one complete line that says how it ended.
# $1 its directory, $2 what it was given (kept in the claim; nothing inside a container), $3 setup or nothing and
# $4 run (texts for a shell), then one list of accelerators for each rank. Only builtins stand before the user's
# commands: a start is cheap.
# Its variables have a prefix, since a job's own environment is here too.
# Its standard output and error are the attempt's log; what this shell itself has to say is not part of it.
set -C
exec 2>/dev/null
read -r _bg_stat </proc/self/stat
read -r _bg_boot </proc/sys/kernel/random/boot_id
cd "$1" || exit 74
# The claim: created by exactly one, whoever else runs this script for the same attempt leaves here.
# Inside a container there is none to make: who started that has it.
if [ -n "$2" ]; then
  { printf '%s\n%s\n%s\n' "$_bg_stat" "$_bg_boot" "$2"; } >claim || exit 73
fi

# In a subshell of its own, which is left as a new shell would be: an exec less for each start.
of_user() {
  cd work || exit 2
  exec 2>&1
  set +C
  trap - TERM INT HUP QUIT USR1 USR2 URG
  _bg_text=$1
  set --
  eval "$_bg_text"
}

_bg_stopped='' _bg_failed='' _bg_code=0 _bg_phase=setup
trap '_bg_stopped=1' TERM INT HUP QUIT USR1 USR2
_bg_setup=$3 _bg_run=$4
shift 4

if [ -n "$_bg_setup" ]; then
  (of_user "$_bg_setup")
  _bg_code=$?
fi

if [ "$_bg_code" = 0 ] && [ -z "$_bg_stopped" ]; then
  _bg_phase=run
  if [ $# = 1 ]; then
    (of_user "$_bg_run")
    _bg_code=$?
  else
    # One process for each rank. The first that fails ends the gang: the others would wait for it for ever.
    trap '_bg_failed=1' URG
    _bg_rank=0 _bg_pids=''
    for _bg_devices; do
      (
        export NODE_RANK=$_bg_rank CUDA_VISIBLE_DEVICES=$_bg_devices
        (of_user "$_bg_run")
        _bg_code=$?
        [ "$_bg_code" = 0 ] || { echo "$_bg_code" >failed && kill -URG $$; }
        exit "$_bg_code"
      ) &
      _bg_pids="$_bg_pids $!"
      _bg_rank=$((_bg_rank + 1))
    done
    for _bg_pid in $_bg_pids; do
      [ -z "$_bg_failed" ] || break
      wait "$_bg_pid"
      _bg_one=$?
      while [ -z "$_bg_failed" ] && [ "$_bg_one" -gt 128 ] && kill -0 "$_bg_pid"; do
        wait "$_bg_pid"
        _bg_one=$?
      done
      [ "$_bg_one" = 0 ] || _bg_code=$_bg_one
    done
    [ ! -e failed ] || read -r _bg_code <failed
  fi
fi
# A new file (set -C): what the job may have put in its place is not written to, or through.
if [ -e exit ] || [ -L exit ]; then rm -rf exit; fi
{
  times
  printf 'exit %s %s\n' "$_bg_code" "$_bg_phase"
} >exit
