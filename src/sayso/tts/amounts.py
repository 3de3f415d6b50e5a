"""Money and measures in English. Pure."""

from __future__ import annotations

import re

from sayso.tts.dates import say_count
from sayso.tts.numerals import say_number
from sayso.tts.rules import NOT_BEFORE, NUMBER, Rule, rule

CURRENCIES = {
    "$": ("dollar", "dollars", "cent"),
    "€": ("euro", "euros", "cent"),
    "£": ("pound", "pounds", "penny"),
    "¥": ("yen", "yen", ""),
    "₹": ("rupee", "rupees", "paisa"),
    "₩": ("won", "won", ""),
    "₽": ("ruble", "rubles", "kopeck"),
    "₺": ("lira", "lira", "kurus"),
    "₴": ("hryvnia", "hryvnias", ""),
    "₫": ("dong", "dong", ""),
    "₦": ("naira", "naira", "kobo"),
    "฿": ("baht", "baht", "satang"),
    "₪": ("shekel", "shekels", "agora"),
    "₱": ("peso", "pesos", "centavo"),
    "₿": ("bitcoin", "bitcoin", ""),
    "CHF": ("Swiss franc", "Swiss francs", "centime"),
    "CNY": ("yuan", "yuan", ""),
    "SEK": ("Swedish krona", "Swedish kronor", ""),
    "NOK": ("Norwegian krone", "Norwegian kroner", ""),
    "DKK": ("Danish krone", "Danish kroner", ""),
    "PLN": ("zloty", "zloty", ""),
    "CZK": ("Czech koruna", "Czech koruna", ""),
    "MXN": ("Mexican peso", "Mexican pesos", "centavo"),
    "BRL": ("real", "reais", "centavo"),
    "AUD": ("Australian dollar", "Australian dollars", "cent"),
    "CAD": ("Canadian dollar", "Canadian dollars", "cent"),
    "NZD": ("New Zealand dollar", "New Zealand dollars", "cent"),
    "SGD": ("Singapore dollar", "Singapore dollars", "cent"),
    "HKD": ("Hong Kong dollar", "Hong Kong dollars", "cent"),
    "ZAR": ("rand", "rand", "cent"),
    "AED": ("dirham", "dirhams", ""),
}
SAME = {
    "USD": "$", "US$": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩",
    "RUB": "₽", "TRY": "₺", "UAH": "₴", "ILS": "₪", "THB": "฿", "BTC": "₿", "RMB": "CNY",
    "A$": "AUD", "C$": "CAD", "CA$": "CAD", "AU$": "AUD", "NZ$": "NZD", "S$": "SGD",
    "HK$": "HKD", "R$": "BRL", "zł": "PLN", "Fr.": "CHF",
}  # fmt: skip
PENCE = {"penny": "pence", "paisa": "paise", "agora": "agorot"}
UNITED = {"kurus", "kobo", "satang"}
"""Small coins whose plural is the same word."""

SIGN = "(?:" + "|".join(
    re.escape(sign) for sign in sorted([*SAME, *CURRENCIES], key=len, reverse=True)
) + ")"  # fmt: skip
MAGNITUDES = {
    "k": "thousand",
    "m": "million",
    "mn": "million",
    "mio": "million",
    "b": "billion",
    "bn": "billion",
    "t": "trillion",
    "tn": "trillion",
}
MAGNITUDE = (
    r"(?:\s?(?P<short>[kKMBT]|[mb]n?|tn|mio)\b(?![²³])"
    r"|\s(?P<long>thousand|million|billion|trillion)\b)?"
)
EUROPEAN = r"(?:[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]{2})?|[0-9]+,[0-9]{2})(?![0-9,]|\.[0-9])"
"""A number as it is written in most of Europe: 1.200,50."""

PER = {
    "h": "hour", "hr": "hour", "s": "second", "sec": "second", "min": "minute", "d": "day",
    "wk": "week", "mo": "month", "mth": "month", "yr": "year", "y": "year", "kg": "kilogram",
    "l": "liter", "L": "liter", "m": "meter", "m²": "square meter", "km": "kilometer",
    "sqft": "square foot", "lb": "pound", "g": "gram", "dl": "deciliter", "dL": "deciliter",
    "ml": "milliliter", "mL": "milliliter", "GB": "gigabyte", "kWh": "kilowatt hour",
}  # fmt: skip
PER_UNIT = r"(?:\s?/\s?(?P<per>[a-zA-Z]{1,10}²?)(?![\w/]))?"

UNITS = {
    "km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter", "nm": "nanometer",
    "µm": "micrometer", "μm": "micrometer", "mi": "mile", "yd": "yard", "ft": "foot/feet",
    "kg": "kilogram", "g": "gram", "mg": "milligram", "µg": "microgram", "mcg": "microgram",
    "t": "ton", "lb": "pound", "lbs": "pound", "oz": "ounce",
    "l": "liter", "L": "liter", "ml": "milliliter", "mL": "milliliter", "dl": "deciliter",
    "cl": "centiliter", "gal": "gallon", "tsp": "teaspoon", "tbsp": "tablespoon",
    "ms": "millisecond", "s": "second", "sec": "second", "secs": "second", "min": "minute",
    "mins": "minute", "h": "hour", "hr": "hour", "hrs": "hour",
    "km²": "square kilometer", "km2": "square kilometer", "m²": "square meter",
    "m2": "square meter", "cm²": "square centimeter", "m³": "cubic meter", "m3": "cubic meter",
    "cm³": "cubic centimeter", "sqft": "square foot/square feet",
    "sq ft": "square foot/square feet", "ft²": "square foot/square feet",
    "mph": "mile per hour/miles per hour", "kph": "kilometer per hour/kilometers per hour",
    "kmh": "kilometer per hour/kilometers per hour", "rpm": "RPM/RPM", "bpm": "BPM/BPM",
    "°C": "degree Celsius/degrees Celsius", "℃": "degree Celsius/degrees Celsius",
    "°F": "degree Fahrenheit/degrees Fahrenheit", "℉": "degree Fahrenheit/degrees Fahrenheit",
    "°": "degree",
    "B": "byte", "KB": "kilobyte", "kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte",
    "TB": "terabyte", "PB": "petabyte", "MiB": "mebibyte", "GiB": "gibibyte",
    "kbps": "kilobit per second/kilobits per second",
    "Mbps": "megabit per second/megabits per second",
    "Gbps": "gigabit per second/gigabits per second",
    "Hz": "hertz/hertz", "kHz": "kilohertz/kilohertz", "MHz": "megahertz/megahertz",
    "GHz": "gigahertz/gigahertz", "W": "watt", "kW": "kilowatt", "MW": "megawatt",
    "GW": "gigawatt", "kWh": "kilowatt hour", "MWh": "megawatt hour", "Wh": "watt hour",
    "V": "volt", "mV": "millivolt", "mA": "milliamp", "mAh": "milliamp hour", "dB": "decibel",
    "kcal": "kilocalorie", "cal": "calorie", "kJ": "kilojoule", "px": "pixel", "dpi": "DPI/DPI",
    "fps": "frame per second/frames per second", "%": "percent/percent", "‰": "per mille/per mille",
    "bps": "bit per second/bits per second", "psi": "PSI/PSI", "hp": "horsepower/horsepower",
}  # fmt: skip
UNIT = "(?:" + "|".join(re.escape(u) for u in sorted(UNITS, key=len, reverse=True)) + ")"


def say_money(match: re.Match[str]) -> str:
    """An amount: "$1,200.50" -> "one thousand two hundred dollars and fifty cents"."""
    found = match.groupdict()
    currency = CURRENCIES[SAME.get(match["sign"], match["sign"])]
    short = (found.get("short") or "").lower()
    magnitude = found.get("long") or MAGNITUDES.get(short, "")
    return _say_amount(match["amount"], currency, magnitude) + _say_per(match["per"])


def _say_amount(amount: str, currency: tuple[str, str, str], magnitude: str) -> str:
    one, many, coin = currency
    if re.fullmatch(EUROPEAN, amount):
        amount = amount.replace(".", "").replace(",", ".")
    whole, _, part = amount.partition(".")
    if magnitude:
        return f"{say_number(amount)} {magnitude} {many}"
    if not coin or len(part) != 2:
        return say_count(amount, one, many)
    coins = _say_coins(part, coin)
    if coins and not int(whole.replace(",", "") or 0):
        return coins
    return say_count(whole, one, many) + (f" and {coins}" if coins else "")


def _say_coins(part: str, coin: str) -> str:
    if part == "00":
        return ""
    coins = coin if coin in UNITED else PENCE.get(coin, f"{coin}s")
    return say_count(str(int(part)), coin, coins)


def _say_per(unit: str | None) -> str:
    return f" per {PER.get(unit, unit)}" if unit else ""


def say_measure(match: re.Match[str]) -> str:
    """So much of a unit: "120 km/h" -> "one hundred twenty kilometers per hour"."""
    return f"{say_number(match[1])} {name_unit(match[2], match[1])}{_say_per(match['per'])}"


def name_unit(unit: str, count: str) -> str:
    """A unit's name, for so many of it: ("km", "2") -> "kilometers"."""
    one, _, many = UNITS[unit].partition("/")
    return one if count == "1" else many or f"{one}s"


def say_height(match: re.Match[str]) -> str:
    """A height: 5'10 in inches' marks -> "five feet ten inches"."""
    feet = say_count(match[1], "foot", "feet")
    return f"{feet} {say_count(match[2], 'inch', 'inches')}"


def say_magnitude(match: re.Match[str]) -> str:
    """A shortened number: "100k" -> "one hundred thousand"."""
    return f"{say_number(match[1])} {MAGNITUDES[match[2].lower()]}"


AMOUNT_RANGES: tuple[Rule, ...] = (
    rule(rf"({SIGN})\s?({NUMBER})\s?[-–—]\s?{SIGN}?\s?(?={NUMBER})", r"\2 to \1"),
    rule(rf"{NOT_BEFORE}({NUMBER})\s?[-–—]\s?(?={NUMBER}\s?{SIGN})", r"\1 to "),
    rule(rf"(?<![\w)'’])(?:[-−](?=\.?[0-9])|[-−–](?={SIGN}\s?[0-9]))", "minus "),
)

AMOUNTS: tuple[Rule, ...] = (
    rule(rf"(?<![\w.])(?P<sign>{SIGN})\s?(?P<amount>{EUROPEAN}){PER_UNIT}(?!\w)", say_money),
    rule(
        rf"(?<![\w.])(?P<sign>{SIGN})\s?(?P<amount>{NUMBER}){MAGNITUDE}{PER_UNIT}(?![0-9])",
        say_money,
    ),
    rule(rf"(?<![\w.,])(?P<amount>{EUROPEAN})\s?(?P<sign>{SIGN}){PER_UNIT}(?!\w)", say_money),
    rule(
        rf"(?<![\w.,])(?P<amount>{NUMBER}){MAGNITUDE}\s?(?P<sign>{SIGN}){PER_UNIT}(?!\w)",
        say_money,
    ),
    rule(r"(?<![\w.,])([0-9]{1,3})\s?¢", lambda match: _say_coins(match[1].zfill(2), "cent")),
    # Measures
    rule(r"(?<![\w.,])([0-9]{1,2})\s?['’′]\s?([0-9]{1,2})\s?(?:\"|”|″|'')", say_height),
    rule(r"(?<![\w.,])([0-9]{1,2})\s?ft\.?\s([0-9]{1,2})\s?in\b\.?", say_height),
    rule(rf"{NOT_BEFORE}(?![248]K\b)({NUMBER})\s?([kKM]|mn|bn|mio)\b(?!/)", say_magnitude),
    rule(
        rf"{NOT_BEFORE}({NUMBER})\s?({UNIT})(?![\w'’]){PER_UNIT}(?:\.(?=\s[a-z]|[,;]))?",
        say_measure,
    ),
)
