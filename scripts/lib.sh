# shellcheck shell=bash
# What scripts/quickstart and scripts/check share: packages, a private copy of
# the PostgreSQL installation, a build into it, and servers of their own.
#
# Nothing but apt-get writes outside the work folder.  As root only apt-get and
# the clients run; everything else runs as the operating system user that the
# servers run as, since PostgreSQL refuses to run as root.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PGMAJOR=${PGMAJOR:-15}
SERVER_PORT=54317               # only names the socket: no server listens on TCP
# What a server's log says of a crash.
# shellcheck disable=SC2034
CRASH='PANIC:|TRAP:|terminating any other active|AddressSanitizer|runtime error:'

# A server that the caller's environment names is not ours to talk to.
for name in "${!PG@}"; do
    case $name in PGMAJOR) ;; *) unset "$name" ;; esac
done
export LC_ALL=C.UTF-8
# Objects and private trees are for the server's user to read.
umask 022

if [ "$(id -u)" = 0 ]; then
    SERVER_USER=postgres
else
    SERVER_USER=$(id -un)
fi

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# as_server COMMAND ...: as the server's user, in a folder that it can enter.
as_server() (
    if [ "$SERVER_USER" = "$(id -un)" ]; then
        exec "$@"
    fi
    cd /
    exec runuser -u "$SERVER_USER" -- env HOME=/tmp "$@"
)

# need_packages [NAME ...]: what it takes to build and run, and NAMEs; installs
# what is missing.  Debian's postgresql package makes a cluster "main" of its
# own; nothing here uses it.
need_packages() {
    local name log missing=()
    for name in make gcc libc6-dev "postgresql-$PGMAJOR" \
        "postgresql-server-dev-$PGMAJOR" "postgresql-$PGMAJOR-semver" "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null |
            grep -qx installed || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || die "these packages are missing, and only root can install them: ${missing[*]}"
    step "Installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    { apt-get -y update && apt-get -y install --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1 </dev/null || {
        tail -n 30 "$log"
        die "apt-get failed; all of its output is in $log"
    }
    rm "$log"
}

# choose_work NAME: sets WORK to build/NAME, or to a folder below /var/lib where
# the server's user cannot reach this clone (below /root, say) or make cannot
# cope with its name.
choose_work() {
    local build=${PUBLICDIGIT_BUILD:-$ROOT/build}
    mkdir -p "$build"
    if [[ $build =~ [^[:alnum:]/._+-] ]] || ! as_server test -x "$build"; then
        build=/var/lib/publicdigit/$(cksum <<<"$build" | cut -d ' ' -f 1)
    fi
    WORK=$build/$1
    mkdir -p "$WORK"
    chown "$SERVER_USER" "$WORK"
}

# use_tree FOLDER: sets TREE_BIN, where private_tree puts the binaries.
use_tree() { TREE_BIN=$1/usr/lib/postgresql/$PGMAJOR/bin; }

# private_tree FOLDER: a copy of the PostgreSQL installation that has its own
# library and share folders.  The binaries find those relative to themselves
# and are copied; the rest is links.  Installing an extension into it leaves
# the system alone.
private_tree() {
    local tree=$1 bin=/usr/lib/postgresql/$PGMAJOR/bin
    local pg_config=$bin/pg_config lib share include
    [ -x "$pg_config" ] || die "there is no $pg_config: is PostgreSQL $PGMAJOR installed, with its server-dev package?"
    lib=$("$pg_config" --pkglibdir)
    share=$("$pg_config" --sharedir)
    include=$("$pg_config" --includedir)
    use_tree "$tree"
    rm -rf "$tree"
    as_server mkdir -p "$tree$bin" "$tree$lib" "$tree$share" "$tree$(dirname "$include")"
    as_server cp -R "$bin/." "$tree$bin"
    as_server cp -Rs "$lib/." "$tree$lib"
    as_server cp -Rs "$share/." "$tree$share"
    as_server ln -s "$include" "$tree$include"
    # An installed publicdigit is not the one under test.
    as_server rm -rf "$tree$lib"/publicdigit.so "$tree$lib"/bitcode/publicdigit* \
        "$tree$share"/extension/publicdigit* "$tree$share"/publicdigit
}

# copy_source FOLDER: this clone's files, without what was built in it.
copy_source() {
    rm -rf "$1"
    as_server mkdir -p "$1"
    tar -C "$ROOT" --exclude=./.git --exclude=./build --exclude='*.o' --exclude='*.bc' \
        --exclude='*.so' --mode=u+rwX,go+rX -cf - . |
        as_server tar -C "$1" --no-same-owner -xf -
}

# build_and_install SOURCE LOG [VARIABLE=VALUE ...]: into the private tree.
build_and_install() {
    local source=$1 log=$2
    shift 2
    as_server make -C "$source" -j 2 PG_CONFIG="$TREE_BIN/pg_config" "$@" >"$log" 2>&1 &&
        as_server make -C "$source" PG_CONFIG="$TREE_BIN/pg_config" "$@" install >>"$log" 2>&1
}

# build_here [VARIABLE=VALUE ...]: this clone, into a private tree in $WORK.
build_here() {
    private_tree "$WORK/pgsql"
    copy_source "$WORK/source"
    build_and_install "$WORK/source" "$WORK/build.log" "$@" || {
        tail -n 30 "$WORK/build.log"
        die "the build failed; all of its output is in $WORK/build.log"
    }
}

# new_key FILE: random, and for the server's user alone to read.
new_key() {
    (umask 077 && head -c 32 /dev/urandom | base64 >"$1")
    chown "$SERVER_USER" "$1"
}

# new_server FOLDER: a cluster with local connections only.  Settings come on
# standard input.  The socket is open to the server's user and root alone, which
# is why it can trust whoever comes.
new_server() {
    local folder=$1
    as_server mkdir -p "$folder"
    as_server "$TREE_BIN/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 \
        --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1 || {
        cat "$folder/initdb.log"
        die "initdb failed"
    }
    # A socket's path has about 100 bytes.
    if [ ${#folder} -le 80 ]; then
        as_server mkdir -p "$folder/socket"
    else
        as_server ln -s "$(as_server mktemp -d /tmp/publicdigit.XXXXXX)" "$folder/socket"
    fi
    {
        say "listen_addresses = ''"
        say "port = $SERVER_PORT"
        say "unix_socket_directories = '$(socket_of "$folder")'"
        say "unix_socket_permissions = 0700"
        say "fsync = off"
        cat
    } | as_server tee -a "$folder/data/postgresql.conf" >/dev/null
    say 'local all all trust' | as_server tee "$folder/data/pg_hba.conf" >/dev/null
}

# socket_of FOLDER: where clients of that server find its socket.
socket_of() { readlink -f "$1/socket"; }

server_runs() { as_server "$TREE_BIN/pg_ctl" -D "$1/data" status >/dev/null 2>&1; }

start_server() {
    as_server "$TREE_BIN/pg_ctl" -D "$1/data" -l "$1/log" -w start >/dev/null 2>&1 || {
        tail -n 30 "$1/log"
        die "the server in $1 did not start"
    }
}

stop_server() {
    ! server_runs "$1" || as_server "$TREE_BIN/pg_ctl" -D "$1/data" -m "${2:-fast}" -w stop >/dev/null
}

# with_server COMMAND ...: as clients of the server in $SERVER find it.
with_server() {
    as_server env PATH="$TREE_BIN:$PATH" PGHOST="$(socket_of "$SERVER")" PGPORT="$SERVER_PORT" \
        PGUSER=postgres "$@"
}

# remove_server FOLDER: stopped, and gone with its socket.
remove_server() {
    stop_server "$1" immediate
    if [ -L "$1/socket" ]; then
        rm -rf "$(socket_of "$1")"
    fi
    rm -rf "$1"
}
