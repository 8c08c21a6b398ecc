"""VAT codes: which is chosen, by treatment, rules, place and day; and VAT ids."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from a2ledger import vat
from a2ledger.book import config_parse
from a2ledger.book.toml_table import ConfigError
from a2ledger.vat import Party, Rule, VatCode

JANUARY = dt.date(2026, 1, 5)
GREEK, BELGIAN = "EL094259216", "BE0403170701"

BOOK = """
currency = "EUR"
timezone = "Europe/Brussels"
company.name = "Example Telecom"
company.country = "BE"
[vat.codes]
S21 = { rate = 21 }
S6 = { rate = 6 }
EL24 = { rate = 24 }
G = { category = "G", rate = 0 }
[[vat.rules]]
code = "O"
services = ["Deposit"]
[[vat.rules]]
code = "AE"
countries = ["eu"]
business = true
[[vat.rules]]
code = "EL24"
countries = ["EL"]
services = ["Calls"]
[[vat.rules]]
code = "G"
countries = ["outside"]
[[vat.rules]]
code = "S6"
services = ["DIDs"]
from = 2026-07-01
until = 2027-01-01
[services]
Calls = { vat = "S21" }
DIDs = { vat = "S21" }
Deposit = { vat = "S21" }
"""


def code_of(service="Calls", treatment="on-invoice", country="", vat_id="", day=JANUARY):
    found = config_parse.parse(BOOK).code_of(service, Party(treatment, country, vat_id), day)
    return found.code


def test_the_first_rule_that_matches_decides_else_the_service():
    assert code_of() == "S21"
    assert code_of(country="BE") == "S21"
    assert code_of(country="GR") == code_of(country="EL") == code_of(country="gr") == "EL24"
    assert code_of("DIDs", country="GR") == "S21"
    assert code_of(country="GR", vat_id=GREEK) == "AE"
    assert code_of("Deposit", country="GR", vat_id=GREEK) == "O"
    assert code_of(country="CH") == code_of(country="uk") == "G"


def test_a_business_is_who_has_a_vat_id_that_is_valid():
    assert code_of(country="GR", vat_id="EL094259217") == "EL24"
    assert code_of(country="GR", vat_id=BELGIAN) == "AE"
    assert code_of(country="BE", vat_id=BELGIAN) == "S21"


def test_a_customer_of_no_country_is_at_home_and_one_of_no_known_country_nowhere():
    rules = (Rule(code="X", countries=("domestic", "eu", "outside", "BE")),)

    def found(country):
        return vat.code_of(rules, "Calls", "S21", Party("on-invoice", country), JANUARY, "BE")

    assert [found(country) for country in ("", "BE", "FR", "US", "Belgium")] == [
        *("X", "X", "X", "X"),
        "S21",
    ]


@pytest.mark.parametrize(
    ("day", "code"),
    [("2026-06-30", "S21"), ("2026-07-01", "S6"), ("2026-12-31", "S6"), ("2027-01-01", "S21")],
)
def test_a_rule_holds_from_a_day_until_another(day, code):
    assert code_of("DIDs", day=dt.date.fromisoformat(day)) == code


def test_a_treatment_comes_before_every_rule():
    assert code_of(treatment="none", country="GR") == "O"
    assert code_of(treatment="reverse-charge", country="BE") == "AE"


def test_what_a_customer_is_comes_from_his_own_day_and_his_treatment_from_the_period():
    class Customer:
        def text(self, key, day):
            return f"{key} on {day}"

    who = vat.party(Customer(), JANUARY, dt.date(2026, 2, 1), "on-invoice")

    assert who == ("vat on 2026-02-01", "country on 2026-01-05", "vat_id on 2026-01-05")


@pytest.mark.parametrize(
    ("text", "country", "valid"),
    [
        (GREEK, "", True),
        ("EL 094 259 216", "GR", True),
        (BELGIAN, "", True),
        ("be 0403.170.701", "BE", True),
        ("BE0403170702", "BE", False),
        ("0403170701", "BE", False),
        (BELGIAN, "FR", True),  # registered elsewhere than he lives
        (BELGIAN, "US", True),
        ("", "BE", False),
        ("  ", "US", False),
        ("whatever he says", "US", True),  # no rule is known for the United States
        ("whatever he says", "CH", False),
        ("CHE-107.787.577 IVA", "CH", True),
        ("CHE-107.787.577 IVA", "", False),
        ("GB980780684", "GB", True),
        ("GB980780684", "UK", True),
        ("XI980780684", "", False),
    ],
)
def test_vat_ids(text, country, valid):
    assert vat.is_id(text, country) is valid


def test_vat_on_a_net_amount_and_inside_a_gross_one():
    code = VatCode(code="S21", category="S", rate=Decimal(21))
    half = VatCode(code="S5", category="S", rate=Decimal("5.5"))

    assert vat.added(10_000_000, code, 2) == 2_100_000
    assert vat.inside(12_100_000, code, 2) == 2_100_000
    assert vat.inside(-12_100_000, code, 2) == -2_100_000
    assert vat.inside(1_000_000, code) == 173_554  # 1 x 21 / 121 = 0.1735537...
    assert vat.inside(1_000_000, half) == 52_133  # 1 x 5.5 / 105.5 = 0.0521327...
    assert vat.inside(5_000_000, VatCode(code="O", category="O", rate=Decimal(0))) == 0


def test_what_a_bill_says_of_a_category_without_words_of_its_own():
    codes = config_parse.parse(BOOK).codes

    assert codes["G"].reason == "Export outside the EU"
    assert codes["AE"].reason == "Reverse charge"
    assert codes["S21"].reason == ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('code = "O"', 'code = "S99"', r"vat.rules\[0\].code: 'S99' is none of O, AE, S21"),
        ('code = "O"', 'code = "P"', r"vat.rules\[0\].code: 'P' is none of O, AE"),
        (
            'services = ["Deposit"]',
            'services = ["Fax"]',
            r"\[0\].services: 'Fax' is not under",
        ),
        (
            '["eu"]',
            '["europe"]',
            r"\[1\].countries: 'europe' is neither domestic, eu, outs",
        ),
        ('company.country = "BE"', "", r"rules\[1\].countries: 'eu' needs company.country"),
        ("2027-01-01", "2026-07-01", r"rules\[4\].until: 2026-07-01 is not after 2026-07-01"),
        ("2026-07-01", '"2026-07-01"', r"rules\[4\].from: must be a day such as 2026-07-01"),
        ("2026-07-01", "2026-07-01T00:00:00", r"rules\[4\].from: must be a day"),
        ("business = true", "business = 1", r"rules\[1\].business: must be true or false"),
        ("business = true", "bussiness = true", r"unknown key, did you mean 'business'"),
        (
            "S6 = { rate = 6 }",
            "P = { rate = 6 }",
            r"^vat.codes.P: is reserved for refills",
        ),
        ("S6 = { rate = 6 }", "AE = { rate = 6 }", r"^vat.codes.AE.category: code AE is"),
        (
            "S6 = { rate = 6 }",
            'S6 = { category = "K", rate = 6 }',
            r"^vat.codes.S6.rate: category K has the rate 0",
        ),
        ('DIDs = { vat = "S21" }', 'DIDs = { vat = "P" }', r"^services.DIDs.vat: 'P' is none of"),
    ],
)
def test_what_a_rule_must_not_say(old, new, message):
    assert old in BOOK

    with pytest.raises(ConfigError, match=message):
        config_parse.parse(BOOK.replace(old, new, 1))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('category = "K", rate = 0', "Intra-community supply"),
        ('category = "L", rate = 7', ""),
        ('category = "L", rate = 0', ""),
        ('category = "M", rate = 4', ""),
    ],
)
def test_goods_in_the_union_and_the_spain_s_island_taxes_have_categories(row, reason):
    config = config_parse.parse(BOOK.replace("rate = 6 }", f"{row} }}", 1))

    assert config.codes["S6"].category == row.split('"')[1]
    assert config.codes["S6"].reason == reason
