from __future__ import annotations

import json
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.functions.arguments import Arguments, ArgumentsError
from sayso.functions.definition import Function, Kind, Parameter, Position
from sayso.functions.request import (
    ACCEPT,
    FORM,
    MAX_HEADER_VALUE_CHARS,
    MAX_SENT_URL_CHARS,
    Request,
    check_shown,
    make_request,
)

URL = "https://shop.example.com/orders"
IN = {position.value: position for position in Position}


def request(
    *parameters: Parameter,
    arguments: Arguments | None = None,
    url: str = URL,
    method: str = "POST",
    variables: dict[str, str] | None = None,
) -> Request:
    function = Function("f", "Order", "Orders.", url, method, parameters)
    return make_request(function, arguments or {}, variables)


def body_of(made: Request) -> object:
    assert made.body is not None
    return json.loads(made.body)


class TestPlaces:
    def test_the_body_is_json_with_types_kept(self) -> None:
        made = request(
            Parameter("n", Kind.NUMBER),
            Parameter("ok", Kind.BOOLEAN),
            Parameter("text"),
            Parameter("size", Kind.ENUM, choices=("L",)),
            arguments={"n": 2.5, "ok": True, "text": 'Grüße "x"', "size": "L"},
        )
        assert body_of(made) == {"n": 2.5, "ok": True, "text": 'Grüße "x"', "size": "L"}
        assert made.headers["Content-Type"] == "application/json"
        assert (made.method, made.url, made.repeatable) == ("POST", URL, False)

    def test_fixed_values_are_of_their_own_kind(self) -> None:
        made = request(
            Parameter("n", Kind.NUMBER, static="5"),
            Parameter("ok", Kind.BOOLEAN, static="false"),
            Parameter("text", static="5"),
            Parameter("size", Kind.ENUM, static="L"),
        )
        assert body_of(made) == {"n": 5, "ok": False, "text": "5", "size": "L"}

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    def test_without_a_body_its_values_go_into_the_query(self, method: str) -> None:
        made = request(Parameter("a b"), arguments={"a_b": "1&2=ü"}, method=method)
        assert made.url == f"{URL}?a%20b=1%262%3D%C3%BC"
        assert made.body is None
        assert "Content-Type" not in made.headers

    def test_nothing_to_send_is_no_body(self) -> None:
        made = request(method="PUT")
        assert (made.body, made.url) == (None, URL)

    def test_the_query_joins_the_urls_own(self) -> None:
        made = request(
            Parameter("q", position=IN["query"]),
            Parameter("flag", Kind.BOOLEAN, IN["query"], static="true"),
            arguments={"q": "tea & cake"},
            url=f"{URL}?code=a%2Fb",
        )
        assert made.url == f"{URL}?code=a%2Fb&q=tea%20%26%20cake&flag=true"

    def test_headers_are_ours_unless_the_owner_has_others(self) -> None:
        made = request(
            Parameter("authorization", position=IN["header"], static="Bearer k"),
            Parameter("accept", position=IN["header"], static="text/csv"),
            Parameter("X-Count", Kind.NUMBER, IN["header"]),
            arguments={"X-Count": 3},
        )
        assert made.headers == {
            "authorization": "Bearer k",
            "accept": "text/csv",
            "X-Count": "3",
            "Accept-Encoding": "identity",
        }

    def test_a_header_stays_on_its_line(self) -> None:
        header = Parameter("X-Note", position=IN["header"])
        made = request(header, arguments={"X-Note": "a\r\nX-Admin: 1\0" + "b" * 9000})
        assert made.headers["X-Note"].startswith("a X-Admin: 1 b")
        assert len(made.headers["X-Note"]) == MAX_HEADER_VALUE_CHARS

    def test_a_form_is_sent_where_the_owner_says_so(self) -> None:
        made = request(
            Parameter(
                "Content-Type",
                position=IN["header"],
                static="application/x-www-form-urlencoded; charset=utf-8",
            ),
            Parameter("To"),
            Parameter("Sms", Kind.BOOLEAN),
            arguments={"To": "+1 555", "Sms": True},
        )
        assert made.body == b"To=%2B1+555&Sms=true"

    def test_places_in_the_url_are_filled_in(self) -> None:
        made = request(
            Parameter("id", position=IN["url"]),
            Parameter("part", position=IN["url"], static="items"),
            Parameter("n", Kind.NUMBER, IN["url"]),
            arguments={"id": "a/b ?#%", "n": 7},
            url=URL + "/{id}/{part}-x?page={n}&v=1",
        )
        assert made.url == f"{URL}/a%2Fb%20%3F%23%25/items-x?page=7&v=1"

    def test_what_has_no_place_is_appended(self) -> None:
        made = request(
            Parameter("a", position=IN["url"]),
            Parameter("b", position=IN["url"], static="é"),
            arguments={"a": "1"},
            url=f"{URL}/?x=1",
        )
        assert made.url == f"{URL}/1/%C3%A9?x=1"

    def test_an_optional_part_that_was_left_away_leaves_no_gap(self) -> None:
        part = Parameter("id", position=IN["url"], required=False)
        assert request(part, url=URL + "/{id}/all").url == f"{URL}/all"
        assert request(part, url=URL).url == URL
        assert request(part, url=URL + "?id={id}").url == f"{URL}?id="

    def test_a_host_alone_is_asked_at_its_root(self) -> None:
        assert request(url="http://a.example").url == "http://a.example/"


class TestTricks:
    @pytest.mark.parametrize("value", [".", ".."])
    @pytest.mark.parametrize("url", [URL, URL + "/{id}", URL + "/{id}/x"])
    def test_nobody_climbs_up_the_path(self, value: str, url: str) -> None:
        with pytest.raises(ArgumentsError, match="cannot be a part of an address"):
            request(Parameter("id", position=IN["url"]), arguments={"id": value}, url=url)

    def test_nor_in_two_steps(self) -> None:
        with pytest.raises(ArgumentsError, match="cannot be a part"):
            request(Parameter("id", position=IN["url"]), arguments={"id": "."}, url=URL + "/.{id}")

    def test_a_place_in_a_value_is_no_place(self) -> None:
        made = request(
            Parameter("a", position=IN["url"]),
            Parameter("b", position=IN["url"]),
            arguments={"a": "{b}", "b": "x"},
            url=URL + "/{a}/{b}",
        )
        assert made.url == f"{URL}/%7Bb%7D/x"

    def test_an_endless_url_is_refused(self) -> None:
        query = Parameter("q", position=IN["query"])
        with pytest.raises(ArgumentsError, match="too long"):
            request(query, arguments={"q": "x" * MAX_SENT_URL_CHARS})

    @given(st.text(max_size=30), st.text(max_size=30))
    def test_host_and_place_stay_whatever_is_written(self, one: str, other: str) -> None:
        parameters = (
            Parameter("a", position=IN["url"]),
            Parameter("q", position=IN["query"]),
            Parameter("H", position=IN["header"]),
            Parameter("b"),
        )
        one, other = (text.encode("utf-8", "replace").decode() for text in (one, other))
        arguments = {"a": one, "q": other, "H": one, "b": other}
        try:
            made = request(*parameters, arguments=arguments, url=URL + "/{a}/end?x=1")
        except ArgumentsError:
            assert one in {"", ".", ".."}
            return
        parts = urlsplit(made.url)
        assert (parts.scheme, parts.netloc) == ("https", "shop.example.com")
        root, orders, segment, end = parts.path.split("/")
        assert (root, orders, unquote(segment), end) == ("", "orders", one, "end")
        assert parse_qsl(parts.query, keep_blank_values=True) == [("x", "1"), ("q", other)]
        assert body_of(made) == {"b": other}
        assert not set(made.headers["H"]) & set("\r\n\0")
        assert made.url.isascii()


class TestVariables:
    def test_fixed_values_may_hold_them(self) -> None:
        made = request(
            Parameter("X-Caller", position=IN["header"], static="id {{callerId}}"),
            Parameter("n", Kind.NUMBER, static="{{count}}"),
            Parameter("id", position=IN["url"], static="{{callerId}}"),
            variables={"callerId": "a/b\r\nc", "count": "7"},
        )
        assert made.headers["X-Caller"] == "id a/b c"
        assert made.url == f"{URL}/a%2Fb%20c"
        assert body_of(made) == {"n": 7}

    def test_one_that_spoils_a_number_is_the_owners_affair(self) -> None:
        with pytest.raises(ArgumentsError) as caught:
            request(Parameter("n", Kind.NUMBER, static="{{count}}"))
        assert caught.value.code == "function.bad"
        assert 'the fixed value "n" must be a number' in caught.value.text


class TestSecrets:
    PARAMETERS = (
        Parameter("Authorization", position=IN["header"], static="Bearer sk-0123456789/abcdef"),
        Parameter("X-Api-Key", position=IN["header"]),
        Parameter("token", position=IN["query"], static="q-secret"),
        Parameter("tenant", position=IN["url"], static="tenant-0001/x"),
        Parameter("units", static="metric"),
        Parameter("strict", Kind.BOOLEAN, static="true"),
        Parameter("who", static="{{callerId}}"),
        Parameter("text"),
    )

    def made(self) -> Request:
        return request(
            *self.PARAMETERS,
            arguments={"X-Api-Key": "mine", "text": "hello"},
            url="https://a.example/{tenant}/x?code=url-secret&bare%2Fkey&page={page}",
            variables={"callerId": "anna"},
        )

    def test_what_is_shown_has_masks_for_fixed_values(self) -> None:
        shown = self.made().shown
        assert shown.url == ("https://a.example/••••/x?code=••••&••••&page=&token=••••")
        assert shown.headers == {
            "Accept": ACCEPT,
            "Accept-Encoding": "identity",
            "Authorization": "••••cdef",
            "X-Api-Key": "mine",
            "Content-Type": "application/json",
        }
        assert json.loads(shown.body or "") == {
            "units": "••••",
            "strict": True,
            "who": "anna",
            "text": "hello",
        }

    def test_what_is_shown_is_what_is_sent(self) -> None:
        made = request(
            Parameter("day", position=IN["url"]),
            Parameter("guests", Kind.NUMBER, IN["query"]),
            Parameter("where", position=IN["query"]),
            Parameter("X-Reason", position=IN["header"]),
            Parameter("X-Caller", position=IN["header"], static="{{callerId}}"),
            Parameter("terrace", Kind.BOOLEAN),
            Parameter("seats", Kind.NUMBER),
            Parameter("name"),
            arguments={
                "day": "Friday & Sat/urday",
                "guests": 4,
                "where": "in & out?",
                "X-Reason": "a\r\nEvil: 1",
                "terrace": True,
                "seats": 4,
                "name": "Zoë \ud800",
            },
            url=URL + "/{day}?place={where}&version=2",
        )
        shown = made.shown
        assert shown.url == made.url
        assert "/Friday%20%26%20Sat%2Furday?place=&version=2&guests=4&where=in" in shown.url
        assert shown.headers == made.headers
        assert (shown.headers["X-Reason"], shown.headers["X-Caller"]) == ("a Evil: 1", "")
        assert shown.body == (made.body or b"").decode()
        assert body_of(made) == {"terrace": True, "seats": 4, "name": "Zoë ?"}

    def test_a_form_is_shown_as_a_form(self) -> None:
        made = request(
            Parameter("Content-Type", position=IN["header"], static=FORM),
            Parameter("api key", static="a b&c-1234"),
            Parameter("text"),
            arguments={"text": "say a b&c-1234"},
        )
        assert made.body == b"api+key=a+b%26c-1234&text=say+a+b%26c-1234"
        assert made.shown.body == "api+key=••••&text=say+a+b%26c-1234"
        assert check_shown(made.shown, made.secrets).body == "api+key=••••&text=say+[secret]"

    @given(st.text(max_size=30), st.text(max_size=30))
    def test_without_secrets_the_two_never_differ(self, one: str, other: str) -> None:
        one, other = (text.encode("utf-8", "replace").decode() for text in (one, other))
        parameters = (
            Parameter("a", position=IN["url"]),
            Parameter("q", position=IN["query"]),
            Parameter("H", position=IN["header"]),
            Parameter("b"),
        )
        arguments = {"a": one + "x", "q": other, "H": one, "b": other}
        made = request(*parameters, arguments=arguments, url=URL + "/{a}/end?page={q}")
        assert (made.shown.url, made.shown.headers) == (made.url, made.headers)
        assert (made.shown.body or "").encode() == made.body

    def test_every_spelling_of_a_key_is_a_secret(self) -> None:
        secrets = self.made().secrets
        for one in (
            "Bearer sk-0123456789/abcdef",
            "sk-0123456789/abcdef",
            "sk-0123456789%2Fabcdef",
            "sk-0123456789\\/abcdef",
            "q-secret",
            "tenant-0001/x",
            "tenant-0001%2Fx",
            "url-secret",
            "bare/key",
        ):
            assert one in secrets
        assert not {"metric", "true", "anna", "mine"} & set(secrets)

    def test_nothing_of_it_is_in_a_repr(self) -> None:
        made = self.made()
        shown = repr(made) + repr(Function("f", "n", "d", made.url, "GET", self.PARAMETERS))
        assert not any(secret in shown for secret in made.secrets)

    def test_an_argument_that_repeats_a_secret_is_blacked_out(self) -> None:
        made = request(
            Parameter("key", position=IN["header"], static="sk-123456"),
            Parameter("text"),
            Parameter("q", position=IN["query"]),
            Parameter("H", position=IN["header"]),
            arguments=dict.fromkeys(("text", "q", "H"), "say sk-123456"),
        )
        shown = check_shown(made.shown, made.secrets)
        assert shown.body == '{"text": "say [secret]"}'
        assert shown.url.endswith("?q=say%20[secret]")
        assert (shown.headers["key"], shown.headers["H"]) == ("••••", "say [secret]")
        assert check_shown(request().shown, ()).body is None
