from __future__ import annotations

import json
import subprocess
import sys

import pytest

from sayso.interpreter import make_command, make_environment


def test_a_child_finds_our_code_and_none_of_our_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SAYSO_MASTER_KEY", "canary")
    command = make_command("sayso.models", "--help")
    assert command[-3:] == ["-m", "sayso.models", "--help"]
    look = "import json, os, sayso; print(json.dumps([sayso.__file__, dict(os.environ)]))"
    told = subprocess.run(
        [*command[:3], "-c", look], env=make_environment(), cwd="/", check=True, capture_output=True
    )
    found, environment = json.loads(told.stdout)
    assert found == sys.modules["sayso"].__file__
    assert "canary" not in json.dumps(environment)
