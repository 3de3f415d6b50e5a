import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.tts.spoken import speakable


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        # Markdown
        ("# Hello *there*", "Hello there"),
        ("## Hours ##\nWe open at 9.", "Hours. We open at 9."),
        ("- **Bold** item\n- [x] second item", "Bold item. second item"),
        ("***both*** and __this__ and _that_", "both and this and that"),
        ("~~struck~~ out", "struck out"),
        ("1) first\n2) second", "1. first. 2. second"),
        ("> quoted\n>> twice", "quoted. twice"),
        ("| Day | Hours |\n|:---|---:|\n| Monday | 9-5 |", "Day, Hours. Monday, 9-5"),
        ("one\n\n---\n\ntwo", "one. two"),
        ("Title:\ntext", "Title: text"),
        ("***", ""),
        ("* * *", ""),
        # Code
        ("```py\nprint(1)\n```", ""),
        ("Like so: ```x = 1``` done", "Like so: done"),
        ("cut off ```x = 1", "cut off"),
        ("run `make test` now", "run make test now"),
        # Links and tags
        ("see [our site](https://example.com/a_(b)) now", "see our site now"),
        ('see [our site](https://example.com "title").', "see our site."),
        ("![the logo](logo.png)", "the logo"),
        ("as [they say][1][^2].", "as they say."),
        ("half a link](https://x.y/z) here", "half a link here"),
        ("[read](/ɹˈɛd/) it", "read it"),
        ("<b>Hi</b><br>there <!-- not this -->", "Hi. there"),
        ("3 < 5 and x > y", "3 < 5 and x > y"),
        # Emoji
        ("Great! 🎉👍🏽", "Great!"),
        ("☀️ Sunny 🇫🇷", "Sunny"),
        ("👍", ""),
        ("press 5️⃣", "press 5"),
        ("A → B", "A to B"),
        # Addresses
        ("Visit https://www.example.com/path?x=1, or not.", "Visit example dot com, or not."),
        ("<https://docs.example.org/a>", "docs dot example dot org"),
        ("at example.com/help.", "at example dot com."),
        ("www.example.co.uk!", "example dot co dot uk!"),
        ("Node.js is no address", "Node.js is no address"),
        ("jo.doe+x@example.com", "jo dot doe plus x at example dot com"),
        ("a_b-c@example.com", "a underscore b dash c at example dot com"),
        # Telephone numbers and other numbers that are names
        ("call +1 (555) 123-4567.", "call plus 1, 5 5 5, 1 2 3, 4 5 6 7."),
        ("call (555) 123-4567", "call 5 5 5, 1 2 3, 4 5 6 7"),
        ("555.123.4567", "5 5 5, 1 2 3, 4 5 6 7"),
        ("1-800-555-0199", "1, 8 0 0, 5 5 5, 0 1 9 9"),
        ("+44 20 7946 0958", "plus 4 4, 2 0, 7 9 4 6, 0 9 5 8"),
        ("+1 2 3", "+1 2 3"),
        ("order 84920173", "order 8 4 9 2, 0 1 7 3"),
        ("flight 1234567", "flight 1 2 3, 4 5 6 7"),
        ("account 123456789", "account 1 2 3, 4 5 6, 7 8 9"),
        ("code 007", "code 0 0 7"),
        ("1,000,000 or 0.5 or 06:30 or 2024-05-01", "1,000,000 or 0.5 or 06:30 or 2024-05-01"),
        # Money and magnitudes
        ("20 € or 20€", "€20 or €20"),
        ("50 USD, 5 EUR, 7 GBP", "$50, €5, £7"),
        ("$5–$10 or $5-10", "5 to 10 dollars or 5 to 10 dollars"),
        ("$4.50 and 50%", "$4.50 and 50%"),
        ("100k users, 2bn stars, $100k", "100 thousand users, 2 billion stars, $100k"),
        ("1½ cups and ½ spoon", "1 and one half cups and one half spoon"),
        ("10am-5pm, 24/7", "10am to 5pm, twenty-four seven"),
        # Shorthand and signs
        ("E.g. this, i.e. that", "for example, this, that is, that"),
        ("No. 5, no. 6. No. I mean it", "Number 5, number 6. No. I mean it"),
        ("tea and/or milk", "tea and or milk"),
        ("Rock & roll @ noon, AT&T", "Rock and roll at noon, AT&T"),
        ("snake_case", "snake case"),
        ("3 * 4 and 8 / 2", "3 times 4 and 8 divided by 2"),
        ("well -- ok--then", "well — ok — then"),
        ("C# and #1 and #tag", "C sharp and #1 and tag"),
        ("It's 68°F", "It's 68°F"),
        ("left**over `marks", "left over marks"),
        # What is left
        ("  , and so on", "and so on"),
        ("-5 degrees", "-5 degrees"),
        ("so () it goes , well", "so it goes, well"),
        ("你好！", "你好！"),
        ("...", ""),
        ("", ""),
    ],
)
def test_what_is_said_for_what_is_written(written: str, spoken: str) -> None:
    assert speakable(written) == spoken


@given(st.text())
def test_any_text_becomes_one_tidy_line_or_nothing(text: str) -> None:
    spoken = speakable(text)
    assert "\n" not in spoken
    assert "  " not in spoken
    assert spoken == spoken.strip()
    assert not spoken or any(character.isalnum() for character in spoken)


@given(st.text(alphabet="abc*_`#~ \n-|[]()>", max_size=60))
def test_no_markdown_is_left(text: str) -> None:
    assert not set("*`~^|[]") & set(speakable(text))


@given(st.lists(st.sampled_from("It is a plain sentence, or two of them".split()), min_size=1))
def test_plain_words_are_left_alone(words: list[str]) -> None:
    text = " ".join(words)
    assert speakable(text) == text


@pytest.mark.parametrize(
    "mark", ["*", "[", "a.", "1-", "`", "_", "<a", "+1 ", "https://", "a@", "|"]
)
def test_a_hostile_text_takes_no_time(mark: str) -> None:
    speakable(mark * (2_000 // len(mark)))
