"""What decides is covered to its last branch by its own tests alone."""

import io
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from coverage import Coverage

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
(WITHOUT_IO,) = (
    contract["source_modules"]
    for contract in CONTRACTS["contracts"]
    if contract["name"].startswith("What decides does not wait")
)
CORE = [*WITHOUT_IO, "stt_assemblyai.budget", "stt_assemblyai.livekit.convert"]


def own_tests(module: str) -> str:
    *rooms, name = module.split(".")
    return "/".join(["tests", *rooms, f"test_{name}.py"])


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Coverage:
    """Which test ran which branch: the tests of all these modules in one run."""
    data_file = str(tmp_path_factory.mktemp("coverage") / "data")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += [*map(own_tests, CORE), "--cov=stt_assemblyai", "--cov-branch"]
    command += ["--cov-context=test", "--cov-report=", "--cov-config=/dev/null"]
    done = subprocess.run(command, cwd=ROOT, env={"COVERAGE_FILE": data_file}, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()[-2000:]
    measured = Coverage(data_file=data_file, config_file=False)
    measured.load()
    return measured


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("module", CORE)
def test_a_module_is_covered_by_its_own_tests_alone(module: str, measured: Coverage) -> None:
    path = str(ROOT / f"{module.replace('.', '/')}.py")
    own, table = [r"^$", rf"^{own_tests(module)}::"], io.StringIO()
    percent = measured.report([path], contexts=own, show_missing=True, file=table)
    assert percent == 100, table.getvalue()
