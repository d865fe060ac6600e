#!/usr/bin/env bash
# Builds the Functions app against the real worker and checks that the worker's generator found every function.
#   scripts/check-azure-build.sh
# Exit code 0: it did; 1: it did not; 77: the packages cannot be had here, so nothing was checked.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 FunctionsHosting=Azure
mkdir -p .build
log=.build/azure-build.log
if ! dotnet restore functions/FunctionsBackup.Functions.csproj -v quiet >"$log" 2>&1 </dev/null; then
    if grep -qE 'NU1101|NU1102|NU1301' "$log"; then
        echo "skipped: the packages of the Azure build cannot be restored from this machine's registries (see $log)." >&2
        exit 77
    fi
    cat "$log" >&2
    exit 1
fi
if ! dotnet build functions/FunctionsBackup.Functions.csproj -c Release --no-restore -nodeReuse:false -v quiet -clp:NoSummary >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    exit 1
fi

# As many as the sources declare; each entry has one scriptFile.
metadata=functions/bin/azure/Release/net10.0/functions.metadata
[ -e "$metadata" ] || { echo "The build wrote no functions.metadata: the worker found no function." >&2; exit 1; }
declared=$(grep -rhoE '^ *\[Function\(' functions orchestrations --include='*.cs' --exclude-dir=obj --exclude-dir=bin | wc -l)
found=$(grep -c '"scriptFile"' "$metadata")
for file in host.json worker.config.json extensions.json; do
    [ -e "functions/bin/azure/Release/net10.0/$file" ] || { echo "The build wrote no $file." >&2; exit 1; }
done
if [ "$declared" -ne "$found" ]; then
    echo "The sources declare $declared functions, and the worker's generator found $found; see $metadata." >&2
    exit 1
fi
echo "The Azure build is well: $found functions, all found."
