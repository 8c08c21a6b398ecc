"""What the configuration says of bills, mail and reminders."""

from __future__ import annotations

import pytest

from a2ledger.book import bills
from a2ledger.book.toml_table import ConfigError, Table


def table(name, values):
    return Table(name, values)


def test_what_is_not_said_is_as_usual():
    assert bills.parsed(table("bill", {})) == bills.Bills()
    assert bills.delivery(table("delivery", {})) == bills.Delivery()
    assert bills.mail(table("mail", {})) == bills.Mail()
    assert bills.dunning(table("dunning", {}), ()) == bills.Dunning()


def test_amounts_are_of_money_and_days_are_days():
    made = bills.parsed(table("bill", {"minimum": "2.50", "wait_months": 6}))
    assert (made.minimum_micro, made.wait_months) == (2_500_000, 6)
    made = bills.delivery(table("delivery", {"low_balance": "0", "channels": ["mail", "print"]}))
    assert (made.low_balance_micro, made.channels) == (0, ("mail", "print"))
    assert bills.Delivery().low_balance_micro is None


@pytest.mark.parametrize(("value", "mode"), [(True, "required"), (False, "never"), ("ssl", "ssl")])
def test_a_connection_is_encrypted_unless_that_is_said(value, mode):
    assert bills.mail(table("mail", {"starttls": value})).starttls == mode


STEPS = [{"days": 7, "text": "friendly"}, {"days": 21, "text": "final", "fee": "15.00"}]


def test_reminders_come_one_after_the_other():
    made = bills.dunning(table("dunning", {"steps": STEPS, "service": "Fees"}), ("Fees",))
    assert [(step.days, step.text, step.fee_micro) for step in made.steps] == [
        *((7, "friendly", 0), (21, "final", 15_000_000)),
    ]


@pytest.mark.parametrize(
    ("parse", "name", "values", "says"),
    [
        (bills.parsed, "bill", {"minimum": "-1"}, "bill.minimum: must not be below 0"),
        (bills.parsed, "bill", {"minimum": "much"}, "bill.minimum: "),
        (bills.parsed, "bill", {"wait_months": 13}, "bill.wait_months: must be from 1 to 12"),
        (bills.parsed, "bill", {"usage": "year"}, "bill.usage: 'year' is none of"),
        (bills.parsed, "bill", {"minimun": "1"}, "did you mean 'minimum'"),
        (bills.delivery, "delivery", {"channels": ["pigeon"]}, "delivery.channels: "),
        (bills.mail, "mail", {"starttls": "tls"}, "mail.starttls: must be true, false or"),
        (bills.mail, "mail", {"port": 70_000}, "mail.port: 70000 is no port"),
        (bills.mail, "mail", {"from": "me"}, "mail.from: 'me' is no e-mail address"),
        (bills.mail, "mail", {"attach": ["doc"]}, "mail.attach: 'doc' is none of"),
        (bills.mail, "mail", {"timeout": 0}, "mail.timeout: must be at least 1"),
        (bills.mail, "mail", {"most_megabytes": 0}, "mail.most_megabytes: must be at least 1"),
    ],
)
def test_what_cannot_be_is_named_by_its_key(parse, name, values, says):
    with pytest.raises(ConfigError) as wrong:
        parse(table(name, values))
    assert says in str(wrong.value)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"steps": STEPS}, "dunning.service: '' is not under [services]; fees need one"),
        ({"steps": STEPS[::-1], "service": "Fees"}, "each must come more days after"),
        ({"steps": [{"days": 7}, {"days": 7}]}, "each must come more days after"),
        ({"steps": [{"days": -1}]}, "dunning.steps[0].days: must be from 0"),
        ({"steps": [{"text": "friendly"}]}, "dunning.steps[0].days: is missing"),
    ],
)
def test_reminders_that_cannot_be_are_named(values, says):
    with pytest.raises(ConfigError) as wrong:
        bills.dunning(table("dunning", values), ("Fees",))
    assert says in str(wrong.value)
