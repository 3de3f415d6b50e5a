from __future__ import annotations

from sayso.functions.definition import Kind, Parameter, Position
from sayso.functions.fit import Misfit, find_misfits

URL = "https://a.example/{id}"
ID = Parameter("id", position=Position.URL)


def test_what_fits_is_let_pass() -> None:
    fixed = Parameter("n", Kind.NUMBER, static="{{count}}")
    assert find_misfits(URL, [ID, fixed, Parameter("X-A", position=Position.HEADER)]) == []


def test_everything_is_said_at_once_and_in_order() -> None:
    parameters = [
        Parameter("Connection", position=Position.HEADER, static="ü"),
        Parameter("flag", Kind.BOOLEAN, static="maybe"),
        Parameter("flag"),
    ]
    assert find_misfits(URL, parameters) == [
        Misfit(
            "endpointUrl",
            "has a place {id}, and no parameter of that name has the position url",
        ),
        Misfit("parameters.0.name", "belongs to the connection, and cannot be set"),
        Misfit("parameters.0.value", "has line breaks or characters outside ASCII"),
        Misfit("parameters.1.value", "must be true or false"),
        Misfit("parameters.2.name", "is twice in the body"),
    ]
