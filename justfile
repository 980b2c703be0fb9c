# The only entry point: whatever is done to this repository by hand or by CI is a recipe here.

set shell := ["bash", "-euo", "pipefail", "-c"]

# A snapshot that differs fails; `INSTA_UPDATE=always just test` takes what is there now.
export INSTA_UPDATE := env("INSTA_UPDATE", "no")

# List the recipes
default:
    @just --list --unsorted

# Everything that CI checks
ci: fmt-check lint doc test units licences unused typos

# Format the sources
fmt:
    cargo fmt --all

# Check the format of the sources
fmt-check:
    cargo fmt --all --check

# Check the sources; a warning is an error
lint:
    cargo clippy --all-targets --locked -- -D warnings

# Build the documentation, that of private items included; a dead link is an error
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --locked

# Run all tests; a snapshot file that no test reads is an error
test:
    #!/usr/bin/env bash
    set -euo pipefail
    read_by_tests=$(mktemp)
    trap 'rm -f "$read_by_tests"' EXIT
    INSTA_SNAPSHOT_REFERENCES_FILE="$read_by_tests" cargo test --locked
    left_over=$(comm -23 <(find "$PWD/src" "$PWD/tests" -name '*.snap*' | sort) <(sort -u "$read_by_tests"))
    if [[ -n "$left_over" ]]; then
        printf 'no test reads these snapshots:\n%s\n' "$left_over" >&2
        exit 1
    fi

# Check the units for systemd: that they are well-formed, and that they leave little in reach (at most 1.2 by systemd's own measure)
units:
    #!/usr/bin/env bash
    set -euo pipefail
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    cp systemd/*.service systemd/*.timer "$folder"
    # What is to be started need not be installed.
    sed -i 's#/usr/bin/kinset#/bin/true#' "$folder"/*.service
    SYSTEMD_UNIT_PATH="$folder:" systemd-analyze verify "$folder/kinset.service" "$folder/kinset-sync@name.service" "$folder/kinset-sync@name.timer"
    for service in "$folder"/*.service; do
        systemd-analyze security --offline=true --threshold=12 --no-pager "$service" | tail -n 1
    done

# Check the licences and the origin of what is depended on
licences:
    cargo deny --locked check licenses bans sources

# Look for dependencies that nothing uses
unused:
    cargo machete

# Look for typing errors
typos:
    typos

# Measure: the library's benchmarks, or those whose names match
bench *names:
    cargo bench --locked -- {{ names }}

# Build what is handed out, .deb and .rpm: needs cargo-deb and cargo-generate-rpm
packages:
    packaging/build

# Install a package on a systemd that runs in namespaces of its own, and see the unit do its work and be upgraded to the next; takes root
try *packages="target/packages/kinset_*.deb":
    packaging/try {{ packages }}
