# One attempt as a task of an engine: claim first, then setup, then run once for each rank, then one complete
# line that says how it ended. Before this stand, for this one attempt, _bg_dir, _bg_script (this file), _bg_ranks,
# _bg_accelerators, _bg_keep, _bg_forward, _bg_forward_ranks and the functions _bg_environ, _bg_each, and
# _bg_id, _bg_head and _bg_rank, which put what they find into _bg_word.
# With the argument "rank" it is one rank of a gang. With "enter", a rank, a terminal's type ("" for none) and words it
# is a command beside the attempt: one byte says that it begins (6) or not (21, and the reason follows).
# Its variables have a prefix and are not exported: the engine's and the job's are here, too. What this shell
# itself has to say is no part of the attempt's log.
set -C -f
[ "${1-}" = enter ] || exec 2>/dev/null

# Takes the job's place and environment as rank $_bg_number, with nothing of this environment but what is kept.
_bg_inhabit() {
  cd "$_bg_dir/work" || exit 74
  _bg_address=${MASTER_ADDR-}
  # Lines of `export -p` are "export NAME=VALUE"; further lines of a value may look so, too, and do no harm.
  IFS='
'
  for _bg_name in $(export -p); do
    case $_bg_name in "export "*) ;; *) continue ;; esac
    _bg_name=${_bg_name#export }
    _bg_name=${_bg_name%%=*}
    case $_bg_name in "" | _bg_* | IFS | [0-9]* | *[!A-Za-z0-9_]*) continue ;; esac
    IFS=' '
    for _bg_pattern in PATH $_bg_keep; do
      # shellcheck disable=SC2254 - it is a pattern
      case $_bg_name in $_bg_pattern) continue 2 ;; esac
    done
    unset "$_bg_name"
  done
  unset IFS
  _bg_given=${CUDA_VISIBLE_DEVICES+yes} _bg_devices=${CUDA_VISIBLE_DEVICES-}
  _bg_environ
  if [ "$_bg_accelerators" = 0 ]; then
    export CUDA_VISIBLE_DEVICES=
  elif [ -n "$_bg_given" ]; then
    export CUDA_VISIBLE_DEVICES="$_bg_devices"
  else
    unset CUDA_VISIBLE_DEVICES
  fi
  export NODE_RANK="$_bg_number" MASTER_ADDR="$_bg_address"
}

# Becomes the job's command $1 (setup or run).
_bg_become() {
  _bg_rank
  _bg_number=$_bg_word
  _bg_inhabit
  trap - TERM INT HUP QUIT USR1 USR2
  exec 2>&1
  if [ -x "../$1" ]; then exec "../$1"; fi
  exec /bin/sh "../$1"
}

# Runs the job's command $1 and returns its exit code. Where signals reach this shell alone, it must not stand
# still while the command runs.
_bg_do() {
  if [ -z "$_bg_forward" ]; then
    (_bg_become "$1")
    return
  fi
  (_bg_become "$1") &
  _bg_pid=$!
  wait "$_bg_pid"
  _bg_one=$?
  while [ "$_bg_one" -gt 128 ] && kill -0 "$_bg_pid"; do
    wait "$_bg_pid"
    _bg_one=$?
  done
  return "$_bg_one"
}

# Becomes, beside the attempt, the command $3... of rank $1 at a terminal of type $2. Else its output passes through
# pipes: an engine's own may look like a terminal.
_bg_enter() {
  _bg_number=$1 _bg_terminal=$2
  shift 2
  MASTER_ADDR=127.0.0.1
  [ "$_bg_ranks" = 1 ] || read -r MASTER_ADDR <"$_bg_dir/head"
  _bg_inhabit
  set +C +f
  if [ $# = 0 ]; then
    set -- "${SHELL:-/bin/sh}" ${_bg_terminal:+-i}
  fi
  if ! command -v "$1" >/dev/null; then
    printf '\025there is no command %s' "'$1'"
    exit 127
  fi
  if [ -n "$_bg_terminal" ]; then
    export TERM="$_bg_terminal"
    printf '\006'
    exec "$@"
  fi
  exec 3>&1 4>&2
  printf '\006'
  _bg_code=$( { { { "$@" 3>&- 4>&- 5>&-; echo $? >&5; } | cat >&3; } 2>&1 | cat >&4; } 5>&1 )
  exit "${_bg_code:-137}"
}

_bg_told() {
  _bg_stopped=1
  if [ -n "$_bg_forward" ]; then
    trap '' "$1"
    kill -s "$1" 0
    trap "_bg_told $1" "$1"
  fi
}

if [ "${1-}" = enter ]; then
  shift
  _bg_enter "$@"
fi

_bg_stopped=''
for _bg_signal in TERM INT HUP QUIT USR1 USR2; do
  trap "_bg_told $_bg_signal" "$_bg_signal"
done

if [ "${1-}" = rank ]; then
  _bg_forward=$_bg_forward_ranks
  _bg_do run
  _bg_code=$?
  # The first that fails says why the gang has failed; the others are ended for it.
  if [ "$_bg_code" != 0 ]; then echo "$_bg_code" >"$_bg_dir/failed"; fi
  exit "$_bg_code"
fi

cd "$_bg_dir" || exit 74
exec </dev/null
read -r _bg_stat </proc/self/stat
read -r _bg_boot </proc/sys/kernel/random/boot_id
read -r _bg_host </proc/sys/kernel/hostname
_bg_id
# The claim: created by exactly one, whichever task of this attempt it is.
{ printf '%s\n%s\n{"id":"%s","host":"%s"}\n' "$_bg_stat" "$_bg_boot" "$_bg_word" "$_bg_host"; } >claim || exit 73
exec >>log
_bg_word=127.0.0.1
if [ "$_bg_ranks" != 1 ]; then
  _bg_head
  echo "$_bg_word" >head
fi
export MASTER_ADDR="$_bg_word"

_bg_code=0 _bg_phase=setup
if [ -e setup ]; then
  _bg_do setup
  _bg_code=$?
fi
if [ -n "$_bg_stopped" ]; then
  [ "$_bg_code" != 0 ] || _bg_code=143
elif [ "$_bg_code" = 0 ]; then
  _bg_phase=run
  if [ "$_bg_ranks" = 1 ]; then
    _bg_do run
    _bg_code=$?
  else
    _bg_each 2>&1
    _bg_code=$?
    [ ! -e failed ] || read -r _bg_code <failed
  fi
fi

# A full disk may have room again in a while: without this line nobody knows how it ended.
# It is a new file (set -C): what the job may have put in its place is not written to, or through.
_bg_tries=0
until {
  if [ -e exit ] || [ -L exit ]; then rm -rf exit; fi
  {
    times
    printf 'exit %s %s\n' "$_bg_code" "$_bg_phase"
  } >exit
} || [ "$_bg_tries" = 30 ]; do
  _bg_tries=$((_bg_tries + 1))
  sleep 2
done
exit "$_bg_code"
