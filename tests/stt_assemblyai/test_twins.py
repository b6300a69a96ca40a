"""What decides is covered to its last branch by its own tests alone: nothing else runs it here."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
(WITHOUT_IO,) = (
    contract["source_modules"]
    for contract in CONTRACTS["contracts"]
    if contract["name"].startswith("What decides does not wait")
)
CORE = [*WITHOUT_IO, "stt_assemblyai.budget", "stt_assemblyai.retelling"]


@pytest.mark.slow
@pytest.mark.parametrize("module", CORE)
def test_a_module_is_covered_by_its_own_tests_alone(module: str, tmp_path: Path) -> None:
    package, name = module.split(".")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += [f"tests/{package}/test_{name}.py", f"--cov={module}", "--cov-branch"]
    command += ["--cov-report=term-missing", "--cov-fail-under=100", "--cov-config=/dev/null"]
    done = subprocess.run(
        command, cwd=ROOT, env={"COVERAGE_FILE": str(tmp_path / "data")}, capture_output=True
    )
    assert done.returncode == 0, done.stdout.decode()[-2000:]
