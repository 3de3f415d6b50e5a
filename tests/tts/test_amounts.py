"""Money and measures as they are said."""

from __future__ import annotations

import pytest

from sayso.tts.spoken import speakable


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        (
            "$1,200.50 or $1.00 or $1",
            "one thousand two hundred dollars and fifty cents or one dollar or one dollar",
        ),
        (
            "$0.99, £0.01, £3.20, $0.00",
            "ninety-nine cents, one penny, three pounds and twenty pence, zero dollars",
        ),
        (
            "€1.5m, $2.5M, $3 million, $100k, £2bn",
            (
                "one point five million euros, two point five million dollars, three million "
                "dollars, one hundred thousand dollars, two billion pounds"
            ),
        ),
        (
            "20 € or 20€, 50 USD, 5 EUR, CHF 20",
            "twenty euros or twenty euros, fifty dollars, five euros, twenty Swiss francs",
        ),
        (
            "1.200,50 € and 3,50€ and €1.200",
            (
                "one thousand two hundred euros and fifty cents and three euros and fifty "
                "cents and one thousand two hundred euros"
            ),
        ),
        (
            "¥5000, ₹1,00,000, ₹1.01, $1.5",
            (
                "five thousand yen, one hundred thousand rupees, one rupee and one paisa, "
                "one point five dollars"
            ),
        ),
        (
            "US$5, A$10, R$3.50",
            "five dollars, ten Australian dollars, three reais and fifty centavos",
        ),
        ("-$20, –$20", "minus twenty dollars, minus twenty dollars"),
        (
            "$5–$10 or $5-10/month or 5-10€",
            "five to ten dollars or five to ten dollars per month or five to ten euros",
        ),
        ("$5/mo, $30/h", "five dollars per month, thirty dollars per hour"),
        ("50¢", "fifty cents"),
        (
            "120 km/h, 60 mph, 10 m/s, 5 mg/dl",
            (
                "one hundred twenty kilometers per hour, sixty miles per hour, ten meters "
                "per second, five milligrams per deciliter"
            ),
        ),
        (
            "1 km, 2 km, 1.5 t, 3 m², 2 lbs., 1 ft",
            (
                "one kilometer, two kilometers, one point five tons, three square meters, "
                "two pounds, one foot"
            ),
        ),
        (
            "-5°C, 23°F, 68°, 45%, 5‰",
            (
                "minus five degrees Celsius, twenty-three degrees Fahrenheit, sixty-eight "
                "degrees, forty-five percent, five per mille"
            ),
        ),
        (
            "512GB, 3.5GHz, 60fps, 100 Mbps",
            (
                "five hundred twelve gigabytes, three point five gigahertz, sixty frames per "
                "second, one hundred megabits per second"
            ),
        ),
        ("5'10\" and 6' 2\"", "five feet ten inches and six feet two inches"),
        ("5 ft 3 in", "five feet three inches"),
        ("100k users and 2bn stars", "one hundred thousand users and two billion stars"),
        ("10–12 km and 24–48 h", "ten to twelve kilometers and twenty-four to forty-eight hours"),
        ("1 hr and 1 min", "one hour and one minute"),
    ],
)
def test_an_amount_is_said_as_a_person_would(written: str, spoken: str) -> None:
    assert speakable(written) == spoken
