from pathlib import Path

import pytest

from sayso.models import read_manifest
from sayso.models.__main__ import main
from sayso.models.notice import write_notice

NOTICE = Path(__file__).parents[2] / "NOTICE"


def test_the_notice_file_is_current() -> None:
    assert NOTICE.read_text(encoding="utf-8") == write_notice(), (
        "run `python -m sayso.models --notice > NOTICE`"
    )


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--notice"]) == 0
    assert capsys.readouterr().out == write_notice()


def test_everybody_is_named() -> None:
    text = write_notice()
    for file in read_manifest()[0]:
        assert file.source in text
        assert file.name in text
    for library in read_manifest()[1]:
        assert f"{library.name} ({library.licence})" in text
    assert "libsoxr" in text
    assert "LGPL" in text
    assert "FFmpeg" in text
