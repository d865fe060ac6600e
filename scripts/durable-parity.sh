#!/usr/bin/env bash
# Plays the scenarios of tests/Parity on the real Durable Task framework and compares what they say with the recording that the embedded
# engine is tested against.   scripts/durable-parity.sh [--record] [PART OF A SCENARIO'S NAME]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 LANG=C.UTF-8 FunctionsHosting=Azure
record=false
if [ "${1:-}" = --record ]; then record=true; shift; fi
project=tests/Parity/Real/Parity.Real.csproj recording=tests/Parity/Baseline/baseline.txt
mkdir -p .build
if ! dotnet restore "$project" -v quiet >.build/durable-parity.log 2>&1 </dev/null; then
    # NU1101–NU1103, NU1301: a package, a version or the registry is not there. All else is a mistake of ours.
    if grep -q 'error NU' .build/durable-parity.log && ! grep 'error NU' .build/durable-parity.log | grep -qvE 'error NU(110[123]|1301)'; then
        echo "skipped: the packages of the real Durable Task framework cannot be restored here (.build/durable-parity.log)"
        exit 0
    fi
    cat .build/durable-parity.log
    exit 1
fi
build=(dotnet build "$project" --no-restore -c Release -nodeReuse:false -v quiet -clp:NoSummary)
if ! "${build[@]}" >.build/durable-parity.log 2>&1 </dev/null; then
    cat .build/durable-parity.log
    exit 1
fi
# The in-memory service runs as many activities at a time as there are processors; scenarios hold some of them.
program=tests/Parity/Real/bin/azure/Release/net10.0/FunctionsBackup.Tests.Parity.Real.dll
DOTNET_PROCESSOR_COUNT=8 dotnet "$program" "$@" >.build/durable-parity.txt
if [ $# -gt 0 ]; then cat .build/durable-parity.txt; exit 0; fi
if $record; then
    cp .build/durable-parity.txt "$recording"
    echo "recorded: $recording"
elif diff -u "$recording" .build/durable-parity.txt; then
    echo "the real framework does what was recorded ($(grep -c '^== ' "$recording") scenarios)"
else
    echo "the real framework no longer does what was recorded; record it anew with --record once that is understood"
    exit 1
fi
