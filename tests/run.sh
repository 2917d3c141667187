#!/usr/bin/env bash
# The whole suite: everything on SQLite, the browser in a process of its own, and what touches the database
# once more on PostgreSQL where one answers. Usage: tests/run.sh FOLDER-OF-THE-PROGRAMS
set -u
bin=$1
failed=0
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export DOPEORNOPE_HOME="$home"
# One thread per process: the suite runs on several cores already.
export OMP_NUM_THREADS=1
export DOPEORNOPE_TEST_DATABASE=${DOPEORNOPE_TEST_DATABASE:-postgresql://postgres@127.0.0.1:5432/postgres}

part() {
    echo
    echo "== $1"
    shift
    "$@" || failed=1
}

part "everything, on SQLite" "$bin/pytest" -rs -n 2 --dist loadfile --ignore tests/browser tests
part "in the browser" "$bin/pytest" -rs tests/browser

if DOPEORNOPE_DATABASE=$DOPEORNOPE_TEST_DATABASE "$bin/python" -c '
import django, os
os.environ["DJANGO_SETTINGS_MODULE"] = "dopeornope.settings"
django.setup()
from django.db import connection
connection.ensure_connection()' 2> "$home/postgresql.txt"; then
    # Three at a time: tests of faults wait for processes most of the time.
    part "what touches the database, on PostgreSQL" \
        env DOPEORNOPE_DATABASE="$DOPEORNOPE_TEST_DATABASE" \
        "$bin/pytest" -rs -n 3 --dist loadfile tests/search tests/evaluation tests/faults tests/operate
else
    echo
    echo "== SKIPPED: PostgreSQL does not answer at $DOPEORNOPE_TEST_DATABASE:"
    tail -n 1 "$home/postgresql.txt"
    echo "   Start one, or name one in DOPEORNOPE_TEST_DATABASE=postgresql://USER:PASSWORD@HOST:PORT/NAME"
    [ "${REQUIRE_SERVICES:-}" = 1 ] && failed=1
fi

echo
if [ $failed = 0 ]; then echo "All parts passed."; else echo "A part failed; see above."; fi
exit $failed
