# Starts the server in "$@", prints its process id, and ends it when standard input ends. Standard input is a pipe
# that only the parent holds, so it ends with the parent however the parent dies. A line on the pipe ends the server
# too, but keeps the folder PONTOON_SCRATCH, which otherwise is removed. The status is the server's own.

unset PONTOON_WATCHDOG

# Caught, not ignored: the server must not inherit an ignored signal.
trap : HUP INT TERM
exec 3<&0 4>&1 </dev/null >&2
"$@" 3<&- 4>&- &
server=$!

(
    trap '' HUP INT TERM
    exec 4>&-
    if read -r _ <&3; then ended=3; else ended=0; fi
    # From here on the status counts, also when the server ends before this shell does.
    trap '' USR1
    exec 3<&-
    # A stopped process acts on a signal only after it goes on.
    kill -CONT "$server"
    kill -INT "$server"
    (
        tries=0
        while sleep 1 && kill -0 "$server"; do
            tries=$((tries + 1))
            # A server that is still starting may have missed the first one.
            if [ "$tries" -lt 10 ]; then kill -INT "$server"; fi
            if [ "$tries" -eq 10 ]; then kill -QUIT "$server"; fi
            if [ "$tries" -eq 20 ]; then kill -KILL "$server"; fi
        done
    ) &
    exit "$ended"
) 2>/dev/null &
watch=$!

exec 3<&-
echo "$server" >&4
exec 4>&-

# A caught signal ends `wait` before the server ends.
while :; do
    wait "$server"
    status=$?
    kill -0 "$server" 2>/dev/null || break
done

# Status 0 says that the pipe ended. A watcher that still reads dies of the signal, and its status says so.
kill -USR1 "$watch" 2>/dev/null
wait "$watch" 2>/dev/null
if [ $? -eq 0 ] && [ -n "$PONTOON_SCRATCH" ]; then
    rm -rf "$PONTOON_SCRATCH"
fi
exit "$status"
