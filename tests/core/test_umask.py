import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.core.umask import open_to_others

ROOT = Path(__file__).parents[2]
SAY = "import os; mask = os.umask(0); os.umask(mask); print(oct(mask))"
STARTS = {
    "web and commands": "import wsgi",
    "worker and scheduler": "from console.core.process import here; here()",
    "launcher": "from workers.launch import supervisor as s; s.Launcher = lambda: type('', (), {'run': int}); s.main()",
}  # fmt: skip


@pytest.mark.parametrize("start", STARTS)
def test_every_process_keeps_its_files_for_its_own_account(start, tmp_path):
    environ = {**os.environ, "DATA_DIR": str(tmp_path / "data"), "ENV": "test", "DATABASE_URL": "", "REDIS_URL": ""}
    code = f"import os; os.umask(0o022); {STARTS[start]}; {SAY}"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )

    assert said.stdout.split()[-1] == "0o77"
    assert not open_to_others(tmp_path / "data")


@pytest.mark.parametrize(("mode", "found"), [(0o700, False), (0o750, True), (0o701, True), (0o755, True)])
def test_an_open_folder_is_noticed(tmp_path, mode, found):
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)

    assert open_to_others(folder) is found


def test_a_folder_that_is_not_there_is_not_open(tmp_path):
    assert not open_to_others(tmp_path / "nowhere")
