# What Ray runs for one attempt: its script, and beside it what Ray cannot do. Values are put before it:
# folder, script, limit (seconds), patience (seconds after TERM), other (a signal that Ray cannot send, or nothing).
# Ray sends TERM (or INT) to every process of a job, once, and KILL after RAY_JOB_STOP_WAIT_TIME_S; it knows no limit of
# time and no other signal. So a job is killed by a file in its folder, which is looked for once it was told TERM; it is looked for
# all the time only where the job asked for another signal. All is told to the process group, which Ray made for the job.
cd / && exec >>"$folder/ray.log" 2>&1 </dev/null
trap : TERM INT HUP QUIT USR1 USR2

beside() {
  told='' sent='' at=0 left=$((5 * patience)) pause=$limit
  trap told=1 TERM
  trap : HUP USR1 USR2 # INT and QUIT reach nothing that runs beside
  [ -z "$other" ] || pause=1
  while :; do
    if [ -n "$told" ]; then
      left=$((left - 1))
      sleep 0.2
    else
      at=$((at + pause))
      sleep "$pause"
    fi
    # By the directory: where it is shared by a network, that a file was not there is remembered for a while.
    case " $(ls "$folder" | tr '\n' ' ') " in
      *' ray-kill '*) kill -KILL 0 ;;
      *' ray-signal '*) [ -n "$sent" ] || { sent=1 && kill "-$other" 0; } ;;
    esac
    if [ -z "$told" ] && [ "$at" -ge "$limit" ]; then kill -TERM 0; fi
    if [ "$left" -le 0 ]; then kill -KILL 0; fi
  done
}

beside &
beside=$!
/bin/sh "$script"
code=$?
kill -KILL "$beside"
exit "$code"
