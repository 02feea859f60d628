#!/usr/bin/env bash
# Mutation testing of the core: list the mutants that no test kills.
#
# mutmut expects `src/` beside `tests/`, so the core and its tests are copied that way to
# build/mutation, where results of unchanged code are cached. Arguments name mutants, for
# example: mutation.sh 'clp_core.visibility*'
set -euo pipefail
cd "$(dirname "$0")/../.."

PYTHON=$PWD/.venv/bin/python
LAID=build/mutation
mkdir -p "$LAID"
rm -rf "$LAID/src" "$LAID/tests"
cp -R libs/clp_core/src "$LAID/src"
cp -R tests "$LAID/tests"
rm -rf "$LAID/libs"
mkdir -p "$LAID/libs"
cp -R libs/clp_core "$LAID/libs/"
cat >"$LAID/pyproject.toml" <<'TOML'
[tool.pytest.ini_options]
pythonpath = [".", "src"]
addopts = ["--import-mode=importlib", "-p", "no:pytest_nameko", "-m", "not slow and not bench"]
# Tests are run again by name in one process, and escaping a name twice loses it.
disable_test_id_escaping_and_forfeit_all_rights_to_community_support = true
markers = ["bench: ", "broker: ", "faults: ", "property: ", "slow: "]
[tool.mutmut]
source_paths = ["src"]
also_copy = ["tests", "libs", "pyproject.toml"]
pytest_add_cli_args_test_selection = ["tests/core"]
# Left out: tests of the wheel, which holds no mutant, and one that counts calls and would
# count those of mutmut.
pytest_add_cli_args = ["-p", "no:randomly", "-p", "no:cacheprovider",
  "--ignore", "tests/core/documents/test_wheel.py", "--deselect",
  "tests/core/mentions/test_work.py::test_the_directory_is_not_read_beyond_the_owners"]
TOML
cd "$LAID"
# Test names hold characters that no terminal encodes.
export PYTHONIOENCODING=utf-8:backslashreplace
export TESTS_UNPATCHED=1 HYPOTHESIS_PROFILE=mutation
"$PYTHON" -m mutmut run --max-children "${MUTATION_CHILDREN:-2}" "$@"
"$PYTHON" -m mutmut results
