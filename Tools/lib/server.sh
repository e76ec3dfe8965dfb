# Shell functions that start and stop a server; sourced, not run.

# Starts a server and waits until it serves.
#
#   start_server PROGRAM DATA_DIRECTORY HOST:PORT LOG_FILE
#
# Sets server_pid and server_url. Only the process started here is ever ended.
start_server() {
    local program=$1 data=$2 address=$3 log=$4
    : >"$log.out"
    "$program" serve --data "$data" --http "$address" >"$log.out" 2>"$log" &
    server_pid=$!
    server_url=
    local tries=0
    while [ -z "$server_url" ]; do
        server_url=$(sed -n 's/^listening on //p' "$log.out" | head -n 1)
        [ -n "$server_url" ] && break
        if ! kill -0 "$server_pid" 2>/dev/null; then
            server_pid=
            cat "$log" >&2
            return 1
        fi
        tries=$((tries + 1))
        if [ $tries -gt 600 ]; then
            printf 'The server said nothing for 60 s.\n' >&2
            stop_server
            return 1
        fi
        sleep 0.1
    done
}

# Ends the server that start_server started, if it runs, and waits for it.
stop_server() {
    [ -n "${server_pid:-}" ] || return 0
    # It may have ended by itself, and ended by a signal it has no good status.
    kill -TERM "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
    server_pid=
}

# Whether something listens on a port of this machine.
is_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}
