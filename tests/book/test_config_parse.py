from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest

from a2ledger.book import config_parse, start
from a2ledger.book.source_config import Rule
from a2ledger.book.toml_table import ConfigError
from a2ledger.vat import OUTSIDE, Party

TODAY = dt.date(2026, 1, 1)
NEW = start.config_text(company='A "B" \\ C', currency="EUR", timezone="Europe/Athens")

FULL = """
format = 1
currency = "KWD"
timezone = "Asia/Kuwait"
terms_days = 30
main_months = 12
close_delay = "2d"

[company]
name = "Example"
iban = "KW81"

[vat]
treatment = "none"

[vat.codes.S5]
rate = 5.5
[vat.codes.AE]
category = "AE"
rate = 0
reason = "Reverse charge"

[services.Calls]
vat = "S5"
[services."Números"]
vat = "O"

[methods]
Card = "Assets:Gateway:Card"

[numbers]
invoice = "F{year}_{number:05d}"
credit_note = "K{number}"

[sources.pbx-1]
dialect = "asterisk"
switch = "pbx"
timezone = "Europe/Berlin"
short_codes = ["112"]
international = ["00"]
national = "0"
country = "49"

[[sources.pbx-1.rules]]
contexts = ["internal"]
free = true

[[sources.pbx-1.rules]]
applications = ["Dial"]
identify = ["channel~^PJSIP/(\\\\d+)", "src"]
service = "Números"
tariff = "acme"
"""


def test_a_new_books_configuration_is_good():
    found = config_parse.parse(NEW)

    assert found.company.name == 'A "B" \\ C'
    assert (found.currency, found.timezone) == ("EUR", "Europe/Athens")
    assert found.zone.key == "Europe/Athens"
    assert list(found.services) == ["Calls", "Subscriptions", "DIDs", "One-off"]
    assert found.code_of("Calls", Party("on-invoice"), TODAY).rate == 21
    assert found.code_of("Calls", Party("none"), TODAY) == OUTSIDE
    assert (found.terms_days, found.main_months) == (14, 3)
    assert found.close_delay == dt.timedelta(hours=24)
    assert found.sources == {}


def test_every_key_is_heard():
    found = config_parse.parse(FULL)

    assert (found.terms_days, found.main_months, found.close_delay) == (30, 12, dt.timedelta(2))
    assert (found.company.iban, found.treatment) == ("KW81", "none")
    assert found.codes["S5"].rate == Decimal("5.5")
    assert (found.codes["AE"].category, found.codes["AE"].reason) == ("AE", "Reverse charge")
    assert found.services == {"Calls": "S5", "Números": "O"}
    assert found.methods["card"] == "Assets:Gateway:Card"
    assert found.methods["voucher"] == "Liabilities:Vouchers"
    assert (found.invoice_series, found.credit_note_series) == ("F{year}_{number:05d}", "K{number}")
    source = found.sources["pbx-1"]
    assert (source.dialect, source.switch, source.timezone) == ("asterisk", "pbx", "Europe/Berlin")
    assert (source.short_codes, source.international) == (("112",), ("00",))
    assert (source.national, source.country, source.configured) == ("0", "49", True)
    assert source.rules == (
        Rule(contexts=("internal",), free=True),
        Rule(
            applications=("Dial",),
            identify=(r"channel~^PJSIP/(\d+)", "src"),
            service="Números",
            tariff="acme",
        ),
    )


def test_what_is_not_said_has_its_default():
    found = config_parse.parse(
        'currency = "EUR"\ntimezone = "UTC"\ncompany.name = "x"\n[services.Calls]\nvat = "O"\n'
        "[sources.asterisk]\n"
    )

    source = found.sources["asterisk"]
    assert (source.dialect, source.switch, source.timezone) == ("asterisk", "asterisk", "UTC")
    assert (source.international, source.rules) == (("+", "00"), ())
    assert (found.treatment, found.invoice_series) == ("on-invoice", "INV-{year}-{number:06d}")


WRONG = {
    'format = 1|format = "1"': "format: must be a whole number, not '1'",
    "format = 1|format = 2": "format: is 2; nothing was done; this a2ledger reads format 1",
    "format = 1|format = true": "format: must be a whole number, not True",
    'currency = "KWD"|': "currency: is missing",
    'currency = "KWD"|currency = "kwd"': "currency: 'kwd' is not an ISO 4217 code",
    'currency = "KWD"|currency = 5': "currency: must be text in quotes, not 5",
    'currency = "KWD"|curency = "KWD"': "currency: is missing",
    'timezone = "Asia/Kuwait"|': "timezone: is missing",
    'timezone = "Asia/Kuwait"|timezone = "Kuwait City"': "timezone: 'Kuwait City' is not a time",
    'timezone = "Asia/Kuwait"|timezone = "../etc/passwd"': "timezone: '../etc/passwd' is not",
    'timezone = "Asia/Kuwait"|timezone = ""': "timezone: '' is not a time zone",
    "terms_days = 30|terms_days = 30.5": "terms_days: must be a whole number, not 30.5",
    "terms_days = 30|terms_days = -1": "terms_days: must be from 0 to 3650",
    "terms_days = 30|terms_days = 99999999": "terms_days: must be from 0 to 3650",
    "terms_days = 30|term_days = 30": "term_days: unknown key, did you mean 'terms_days'?",
    "main_months = 12|main_months = 0": "main_months: must be at least 1",
    'main_months = 12|main_months = "12"': "main_months: must be a whole number, not '12'",
    'close_delay = "2d"|close_delay = "soon"': "close_delay: 'soon' is not a time such as",
    'close_delay = "2d"|close_delay = -1': "close_delay: -1 is not a time such as",
    'close_delay = "2d"|close_delay = "99999999999h"': "close_delay: '99999999999h' is not",
    'close_delay = "2d"|close_dely = "2d"': "close_dely: unknown key, did you mean 'close_delay'?",
    '[company]\nname = "Example"|[company]': "company.name: is missing",
    '[company]|company = "x"\n[x]': "company: must be a table, not 'x'",
    'iban = "KW81"|ibn = "KW81"': "company.ibn: unknown key, did you mean 'iban'?",
    'iban = "KW81"|iban = 81': "company.iban: must be text in quotes, not 81",
    'treatment = "none"|treatment = "maybe"': "vat.treatment: 'maybe' is none of on-invoice,",
    'treatment = "none"|treatmnt = "none"': "vat.treatmnt: unknown key, did you mean 'treatment'?",
    "rate = 5.5|": "vat.codes.S5.rate: None is not a percentage",
    "rate = 5.5|rate = nan": "vat.codes.S5.rate: nan is not a percentage",
    "rate = 5.5|rate = inf": "vat.codes.S5.rate: inf is not a percentage",
    "rate = 5.5|rate = -1": "vat.codes.S5.rate: -1 is not a percentage",
    "rate = 5.5|rate = 100": "vat.codes.S5.rate: 100 is not a percentage",
    "rate = 5.5|rate = 5.555":
        "vat.codes.S5.rate: 5.555 is not a percentage such as 21 or 5.5, with",
    'rate = 5.5|rate = "5,5"': "vat.codes.S5.rate: '5,5' is not a percentage",
    "rate = 5.5|rate = true": "vat.codes.S5.rate: True is not a percentage",
    "rate = 5.5|rate = 5.5\nrates = 5": "vat.codes.S5.rates: unknown key, did you mean 'rate'?",
    'category = "AE"|category = "X"':
        "vat.codes.AE.category: 'X' is none of S, Z, E, AE, K, G, O, L, M",
    "rate = 0|rate = 5": "vat.codes.AE.rate: category AE has the rate 0",
    "[vat.codes.S5]|[vat.codes.O]\nrate = 5\n[vat.codes.S5]":
        "vat.codes.O.rate: code O is for what",
    "[vat.codes.S5]\nrate = 5.5|[vat.codes]\nS5 = 5.5": "vat.codes.S5: must be a table, not 5.5",
    '[services.Calls]\nvat = "S5"|[services.Calls]': "services.Calls.vat: is missing",
    '[services.Calls]\nvat = "S5"|[services.Calls]\nvat = "S6"':
        "services.Calls.vat: 'S6' is none of O, AE, S5",
    '[services.Calls]|[services.Calls]\nrate = "S5"': "services.Calls.rate: unknown key",
    '"Assets:Gateway:Card"|"Card"': "methods.Card: 'Card' is not an account money can come from",
    '"Assets:Gateway:Card"|"Assets:Receivable:C1:Billed"':
        "methods.Card: 'Assets:Receivable:C1:Billed' is not",
    '"Assets:Gateway:Card"|5': "methods.Card: must be text in quotes, not 5",
    'credit_note = "K{number}"|credit_note = "K"': "numbers.credit_note: 'K' is not letters",
    'credit_note = "K{number}"|credit_note = "K/{number}"':
        "numbers.credit_note: 'K/{number}' is not",
    'credit_note = "K{number}"|credit_note = "{number:99999d}"':
        "numbers.credit_note: '{number:99999d}' is",
    'credit_note = "K{number}"|credit_note = "{number.__class__}"':
        "numbers.credit_note: '{number.__class",
    'credit_note = "K{number}"|credit_note = "F{year}_{number}"':
        "numbers.credit_note: is the series of",
    'credit_note = "K{number}"|creditnote = "K{number}"':
        "numbers.creditnote: unknown key, did you mean 'credit_note'?",
    "[sources.pbx-1]|[sources.'a b']\n[sources.pbx-1]": "sources.a b: a source's name is letters",
    'switch = "pbx"|swich = "pbx"': "sources.pbx-1.swich: unknown key, did you mean 'switch'?",
    'timezone = "Europe/Berlin"|timezone = "Berlin"': "sources.pbx-1.timezone: 'Berlin' is not",
    'short_codes = ["112"]|short_codes = [112]':
        "sources.pbx-1.short_codes: must be a list of texts",
    'short_codes = ["112"]|short_codes = "112"':
        "sources.pbx-1.short_codes: must be a list, not '112'",
    "free = true|free = 1": "sources.pbx-1.rules[0].free: must be true or false, not 1",
    "free = true|fre = true": "sources.pbx-1.rules[0].fre: unknown key, did you mean 'free'?",
    'contexts = ["internal"]|contexts = "internal"':
        "sources.pbx-1.rules[0].contexts: must be a list",
    'contexts = ["internal"]|contexts = [1]':
        "sources.pbx-1.rules[0].contexts: must be a list of texts",
    '"src"]|"sorc"]': "sources.pbx-1.rules[1].identify: 'sorc' is none of accountcode",
    '"src"]|"src~("]': "sources.pbx-1.rules[1].identify: '(': ",
    '"src"]|"src~x"]': "sources.pbx-1.rules[1].identify: 'x' needs a group",
    'service = "Números"|service = "Numeros"':
        "sources.pbx-1.rules[1].service: 'Numeros' is not under",
    "[numbers]|[numbrs]": "numbrs: unknown key, did you mean 'numbers'?",
    "[methods]|x = [\n[methods]": "not valid TOML: ",
}  # fmt: skip


@pytest.mark.parametrize("change", WRONG)
def test_what_cannot_be_is_said_with_its_key(change):
    old, new = change.split("|")
    assert FULL.count(old) == 1, old

    with pytest.raises(ConfigError, match="^" + re.escape(WRONG[change])):
        config_parse.parse(FULL.replace(old, new))


def test_rules_that_are_no_tables_are_said():
    text = 'currency = "EUR"\ntimezone = "UTC"\ncompany.name = "x"\n[services.Calls]\nvat = "O"\n'

    with pytest.raises(ConfigError, match=r"^sources.a.rules: must be tables"):
        config_parse.parse(text + "[sources.a]\nrules = [1]\n")
    with pytest.raises(ConfigError, match=r"^sources.a.rules: must be a list, not \{\}"):
        config_parse.parse(text + "[sources.a.rules]\n")


def test_a_book_without_services_sells_nothing():
    with pytest.raises(ConfigError, match=r"^services: is missing"):
        config_parse.parse('currency = "EUR"\ntimezone = "UTC"\ncompany.name = "x"\n')


def test_a_service_that_is_none_is_said_when_it_is_asked_for():
    with pytest.raises(ConfigError, match=r"^services.Fax: is missing"):
        config_parse.parse(NEW).code_of("Fax", Party("on-invoice"), TODAY)


def test_a_source_is_one_configured_or_a_dialect_by_its_name():
    found = config_parse.parse(FULL)

    def named(name):
        return found.source(name, lambda: ["asterisk", "calls"])

    assert named("pbx-1") is found.sources["pbx-1"]
    assert (named("calls").timezone, named("calls").configured) == ("Asia/Kuwait", False)
    assert (named("asterisk").timezone, named("asterisk").switch) == ("Asia/Kuwait", "asterisk")
    assert (named("asterisk").configured, named("pbx-1").timezone) == (False, "Europe/Berlin")
    with pytest.raises(
        ConfigError, match=r"pbx: no such source; nothing was imported; there is pbx-1, asterisk"
    ):
        named("pbx")
