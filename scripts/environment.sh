# Sourced by scripts/demo and scripts/test, with the project as the working folder.
#
#   environment FILE    makes .venv with what FILE requires, unless it is there; sets $python

environment() {
    python=.venv/bin/python
    if ! "$python" -c "$new_enough" 2>/dev/null; then
        found=$(find_python) || exit 1
        say "making .venv with $("$found" --version)"
        rm -rf .venv
        if ! "$found" -m venv .venv; then
            say "no virtual environment could be made; on Debian and Ubuntu:"
            say "    sudo apt-get install python3-venv"
            exit 1
        fi
    fi
    stamp=.venv/installed-$1
    wanted=$(cat requirements.txt "$1" | cksum)
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        say "installing $1 into .venv (once)"
        install "$1" || exit 1
        printf '%s\n' "$wanted" >"$stamp"
    fi
    "$python" scripts/translations.py compile || exit 1
    "$python" scripts/assets.py || true  # it says what is missing; all but the calendar works
}

# All that is needed stands in the file with its version, so pip need not search: that halves the
# time. What this system or Python needs beyond it (pip check says so) comes in a second pass.
install() {
    quiet='-qq --disable-pip-version-check'
    # shellcheck disable=SC2086  # two options
    "$python" -m pip install $quiet --no-compile --no-deps --requirement "$1" &&
        { "$python" -m pip check >/dev/null 2>&1 ||
            "$python" -m pip install $quiet --requirement "$1"; }
}

new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

# Prints the first Python that is new enough: $PYTHON, what this machine calls python3, others.
find_python() {
    for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c "$new_enough" 2>/dev/null; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    say "Python 3.11 or newer is needed and was not found."
    say "If it is installed under another name: PYTHON=/path/to/python3 sh $0"
    return 1
}

say() {
    printf '%s\n' "teiji: $*" >&2
}
