#!/bin/bash
# Prove that set-up works on a bare machine: an emptied Debian in a folder, this checkout cloned into it, one command.
#
#   setup/prove-bare.sh FOLDER [demo|test|setup|check]…     as root; needs debootstrap and about 6 GB
#
# FOLDER must not exist; it is left for a look, with nothing mounted and nothing running (rm -rf it afterwards).
#   SUITE=trixie          another Debian; with MIRROR=http://archive.ubuntu.com/ubuntu SUITE=noble an Ubuntu
#   AS_USER=1             as an ordinary user with sudo, where the default is root
#   ONEMAP_PORT=8765      the port that `demo` is asked on; the folder shares this machine's network
set -euo pipefail
[ $# -ge 1 ] && [ "$(id -u)" = 0 ] || { sed -n 's/^# \{0,1\}//p' "$0" | sed -n 2,9p; exit 2; }

folder=$(realpath -m "$1")
shift
commands=("${@:-test}")
checkout=$(cd "$(dirname "$0")/.." && pwd)
port=${ONEMAP_PORT:-8765}
user=root home=/root
[ -z "${AS_USER:-}" ] || { user=planner home=/home/planner; }
[ ! -e "$folder" ] || { echo "$folder exists: choose another folder" >&2; exit 2; }

tidy() {
    local process
    for process in /proc/[0-9]*; do # what was started in the folder, and nothing else, ends
        if [ "$(readlink "$process/root" 2> /dev/null)" = "$folder" ]; then
            kill -TERM "${process#/proc/}" 2> /dev/null || true
        fi
    done
    sleep 2
    for mounted in dev sys proc; do
        ! mountpoint -q "$folder/$mounted" || umount -R -l "$folder/$mounted"
    done
}

inside() { # COMMAND, as the user who tries the platform
    local name passed=()
    # What a user behind a proxy or with a house's own certificates has set as well.
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL PIP_CERT SSL_CERT_FILE \
        REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS NPM_CONFIG_REGISTRY; do
        [ -z "${!name:-}" ] || passed+=("$name=${!name}")
    done
    chroot --userspec="$user:$user" "$folder" env -i HOME="$home" USER="$user" TERM=dumb ONEMAP_PORT="$port" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${passed[@]}" /bin/bash -c "cd $home; $1"
}

make_machine() {
    debootstrap --variant=minbase "${SUITE:-bookworm}" "$folder" "${MIRROR:-http://deb.debian.org/debian}" > "$folder.log"
    cp -L /etc/resolv.conf "$folder/etc/resolv.conf"
    # How this machine's apt reaches its mirror (a proxy, a frozen one), but none of its sources.
    local settings
    for settings in $(grep -ls '^ *Acquire' /etc/apt/apt.conf.d/* || true); do
        cp "$settings" "$folder/etc/apt/apt.conf.d/"
    done
    mount -t proc proc "$folder/proc"
    mount -t sysfs sys "$folder/sys"
    mount --rbind /dev "$folder/dev"
    mount --make-rslave "$folder/dev"
    local as=$user
    user=root
    inside "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        make git ca-certificates ${AS_USER:+sudo}" >> "$folder.log" 2>&1
    user=$as
    cp -L /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
    if [ "$user" != root ]; then
        chroot "$folder" useradd --create-home --shell /bin/bash "$user"
        echo "$user ALL=(ALL) NOPASSWD: ALL" > "$folder/etc/sudoers.d/$user"
    fi
}

bring_checkout() {
    git clone -q --no-hardlinks "$checkout" "$folder$home/onemap"
    chroot "$folder" chown -R "$user:$user" "$home/onemap"
}

answers() { # PATH: the demonstration answers there
    curl --noproxy '*' -fsS --max-time 20 -o /dev/null -w "%{http_code} %{size_download} bytes %{time_total} s  $1\n" \
        "http://127.0.0.1:$port$1"
}

prove() { # one of make's goals
    local began=$SECONDS
    inside "cd onemap && make $1"
    echo "==== make $1: $((SECONDS - began)) s"
    [ "$1" = demo ] || return 0
    answers /health
    answers /map
    began=$SECONDS
    inside "cd onemap && make demo"
    echo "==== make demo, second time: $((SECONDS - began)) s"
    answers /health
    inside "cd onemap && make stop"
    if answers /health 2> /dev/null; then
        echo "make stop left the server running" >&2
        return 1
    fi
}

trap tidy EXIT
make_machine
bring_checkout
for one in "${commands[@]}"; do
    prove "$one"
done
echo "==== proven: ${commands[*]} on ${SUITE:-bookworm} as $user"
