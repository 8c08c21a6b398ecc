"""An A2Billing of a test's own: its tables, filled as its code fills them, and kept consistent.

What moves money moves the card's balance, too, as it does there. A test may then damage it.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np

FIVE = Decimal("0.00001")
ZERO = "0000-00-00 00:00:00"
MONEY = "decimal(15,5) NOT NULL DEFAULT 0"
TIME = "timestamp NOT NULL DEFAULT '0000-00-00 00:00:00'"
NOW = "timestamp NOT NULL DEFAULT current_timestamp()"
NUMBER = "int DEFAULT 0"
_CALL = {
    "id": "bigint NOT NULL AUTO_INCREMENT PRIMARY KEY",
    "sessionid": "varchar(40) NOT NULL DEFAULT ''",
    "uniqueid": "varchar(30) NOT NULL DEFAULT ''",
    "card_id": "bigint NOT NULL DEFAULT 0",
    "nasipaddress": "varchar(30) NOT NULL DEFAULT ''",
    "starttime": f"{NOW}, KEY (starttime)",
    "stoptime": TIME,
    "sessiontime": "int DEFAULT NULL",
    "calledstation": "varchar(100) NOT NULL DEFAULT ''",
    "sessionbill": "float DEFAULT NULL",
    "id_tariffgroup": "int DEFAULT NULL",
    "id_tariffplan": "int DEFAULT NULL",
    "id_ratecard": "int DEFAULT NULL",
    "id_trunk": "int DEFAULT NULL",
    "sipiax": NUMBER,
    "src": "varchar(40) NOT NULL DEFAULT ''",
    "buycost": "decimal(15,5) DEFAULT 0",
    "real_sessiontime": "int DEFAULT NULL",
    "dnid": "varchar(40) NOT NULL DEFAULT ''",
    "terminatecauseid": "int DEFAULT 1",
    "destination": NUMBER,
}
KEY = {"id": "bigint NOT NULL AUTO_INCREMENT PRIMARY KEY"}
SCHEMA: dict[str, dict[str, str]] = {
    "cc_card": KEY
    | {
        "creationdate": NOW,
        "firstusedate": TIME,
        "username": "varchar(50) NOT NULL DEFAULT ''",
        "credit": MONEY,
        "tariff": NUMBER,
        "status": "int NOT NULL DEFAULT 1",
        "lastname": "varchar(50) NOT NULL DEFAULT ''",
        "firstname": "varchar(50) NOT NULL DEFAULT ''",
        "address": "varchar(100) NOT NULL DEFAULT ''",
        "city": "varchar(40) NOT NULL DEFAULT ''",
        "state": "varchar(40) NOT NULL DEFAULT ''",
        "country": "varchar(40) NOT NULL DEFAULT ''",
        "zipcode": "varchar(20) NOT NULL DEFAULT ''",
        "email": "varchar(70) NOT NULL DEFAULT ''",
        "inuse": NUMBER,
        "currency": "char(3) DEFAULT 'USD'",
        "typepaid": NUMBER,
        "creditlimit": NUMBER,
        "language": "char(5) DEFAULT 'en'",
        "vat": "float NOT NULL DEFAULT 0",
        "initialbalance": MONEY,
        "invoiceday": "int DEFAULT 1",
        "id_group": "int NOT NULL DEFAULT 1",
        "company_name": "varchar(50) NOT NULL DEFAULT ''",
        "vat_rn": "varchar(40) DEFAULT NULL",
        "discount": "decimal(5,2) NOT NULL DEFAULT 0",
    },
    "cc_card_group": {"id": "int NOT NULL PRIMARY KEY", "name": "varchar(50) DEFAULT NULL"},
    "cc_call": _CALL,
    "cc_call_archive": _CALL | {"calledstation": "varchar(30) NOT NULL DEFAULT ''"},
    "cc_logrefill": KEY
    | {
        "date": NOW,
        "credit": "decimal(15,5) NOT NULL",
        "card_id": "bigint NOT NULL",
        "description": "mediumtext DEFAULT NULL",
        "refill_type": "tinyint NOT NULL DEFAULT 0",
        "added_invoice": "tinyint NOT NULL DEFAULT 0",
        "agent_id": "bigint DEFAULT NULL",
    },
    "cc_logpayment": KEY
    | {
        "date": NOW,
        "payment": "decimal(15,5) NOT NULL",
        "card_id": "bigint NOT NULL",
        "id_logrefill": "bigint DEFAULT NULL",
        "description": "mediumtext DEFAULT NULL",
        "added_refill": "smallint NOT NULL DEFAULT 0",
        "payment_type": "tinyint NOT NULL DEFAULT 0",
    },
    "cc_charge": KEY
    | {
        "id_cc_card": "bigint NOT NULL",
        "iduser": "int NOT NULL DEFAULT 0",
        "creationdate": NOW,
        "amount": "float NOT NULL DEFAULT 0",
        "chargetype": NUMBER,
        "description": "mediumtext DEFAULT NULL",
        "id_cc_did": "bigint DEFAULT 0",
        "id_cc_card_subscription": "bigint DEFAULT NULL",
        "charged_status": "tinyint NOT NULL DEFAULT 0",
        "invoiced_status": "tinyint NOT NULL DEFAULT 0",
    },
    "cc_voucher": KEY
    | {
        "creationdate": NOW,
        "usedate": TIME,
        "expirationdate": TIME,
        "voucher": "char(50) NOT NULL",
        "usedcardnumber": "char(50) DEFAULT NULL",
        "credit": "float NOT NULL DEFAULT 0",
        "activated": "char(1) NOT NULL DEFAULT 'f'",
        "used": NUMBER,
        "currency": "char(3) DEFAULT 'USD'",
    },
    "cc_invoice": KEY
    | {
        "reference": "varchar(30) DEFAULT NULL",
        "id_card": "bigint NOT NULL",
        "date": NOW,
        "paid_status": "tinyint NOT NULL DEFAULT 0",
        "status": "tinyint NOT NULL DEFAULT 0",
        "title": "varchar(50) NOT NULL DEFAULT ''",
    },
    "cc_invoice_item": KEY
    | {
        "id_invoice": "bigint NOT NULL",
        "date": NOW,
        "price": MONEY,
        "VAT": "decimal(4,2) NOT NULL DEFAULT 0",
        "description": "mediumtext NOT NULL DEFAULT ''",
        "id_ext": "bigint DEFAULT NULL",
        "type_ext": "varchar(10) DEFAULT NULL",
    },
    "cc_invoice_payment": {"id_invoice": "bigint NOT NULL", "id_payment": "bigint NOT NULL"},
    "cc_ratecard": KEY
    | {
        "idtariffplan": "int NOT NULL DEFAULT 0",
        "dialprefix": "char(30) NOT NULL",
        "buyrate": MONEY,
        "rateinitial": MONEY,
        "initblock": "int NOT NULL DEFAULT 0",
        "billingblock": "int NOT NULL DEFAULT 0",
        "connectcharge": MONEY,
        "stepchargec": "float NOT NULL DEFAULT 0",
        "startdate": NOW,
        "stopdate": TIME,
        "starttime": "smallint unsigned DEFAULT 0",
        "endtime": "smallint unsigned DEFAULT 10079",
        "id_trunk": "int DEFAULT -1",
        "destination": "bigint NOT NULL DEFAULT 0",
    },
    "cc_tariffplan": KEY
    | {
        "tariffname": "char(50) NOT NULL",
        "startingdate": TIME,
        "expirationdate": TIME,
        "id_trunk": NUMBER,
        "dnidprefix": "char(30) NOT NULL DEFAULT 'all'",
        "calleridprefix": "char(30) NOT NULL DEFAULT 'all'",
    },
    "cc_tariffgroup": KEY
    | {"tariffgroupname": "char(50) NOT NULL", "lcrtype": "int NOT NULL DEFAULT 0"},
    "cc_tariffgroup_plan": {"idtariffgroup": "int NOT NULL", "idtariffplan": "int NOT NULL"},
    "cc_prefix": {"prefix": "bigint NOT NULL PRIMARY KEY", "destination": "varchar(60) NOT NULL"},
    "cc_provider": KEY | {"provider_name": "char(30) NOT NULL"},
    "cc_trunk": {
        "id_trunk": "int NOT NULL PRIMARY KEY",
        "trunkcode": "varchar(50) DEFAULT NULL",
        "id_provider": "int DEFAULT NULL",
    },
    "cc_did_use": KEY
    | {
        "id_cc_card": "bigint DEFAULT NULL",
        "id_did": "bigint NOT NULL",
        "reservationdate": NOW,
        "releasedate": TIME,
        "activated": NUMBER,
        "month_payed": NUMBER,
    },
    "cc_did": KEY
    | {
        "did": "char(50) NOT NULL",
        "billingtype": NUMBER,
        "fixrate": "float NOT NULL DEFAULT 0",
    },
    "cc_subscription_service": KEY
    | {"label": "varchar(200) NOT NULL", "fee": "float NOT NULL DEFAULT 0"},
    "cc_card_subscription": KEY
    | {
        "id_cc_card": "bigint DEFAULT NULL",
        "id_subscription_fee": "int DEFAULT NULL",
        "startdate": NOW,
        "stopdate": TIME,
        "product_name": "varchar(100) DEFAULT NULL",
        "next_billing_date": TIME,
    },
    "cc_currencies": KEY
    | {"currency": "char(3) NOT NULL", "value": "decimal(12,5) NOT NULL DEFAULT 0"},
    "cc_config": KEY
    | {"config_key": "varchar(100) DEFAULT NULL", "config_value": "varchar(200) DEFAULT NULL"},
}

RATES = {"32": ("Belgium", "0.01500"), "3247": ("Belgium Mobile", "0.09500"), "1": ("USA", "0.009")}


def single(amount: Decimal) -> str:
    """What a column of single precision holds of an amount, in full."""
    return repr(float(np.float32(str(amount))))


class Incumbent:
    """The tables of an A2Billing, as rows by name."""

    def __init__(self, seed: int = 1) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = {name: [] for name in SCHEMA}
        self.random = random.Random(seed)  # noqa: S311 - only figures
        self.add("cc_config", config_key="base_currency", config_value="eur")
        self.add("cc_card_group", name="Retail")
        self.add("cc_currencies", currency="USD", value="0.80000")
        self.add("cc_provider", provider_name="Acme")
        self.tables["cc_trunk"].append({"id_trunk": 1, "trunkcode": "acme", "id_provider": 1})
        self.add("cc_tariffgroup", tariffgroupname="Standard")
        self.add("cc_tariffplan", tariffname="To Acme", id_trunk=1)
        self.tables["cc_tariffgroup_plan"].append({"idtariffgroup": 1, "idtariffplan": 1})
        for prefix, (name, rate) in RATES.items():
            self.tables["cc_prefix"].append({"prefix": prefix, "destination": name})
            self.add(
                "cc_ratecard", idtariffplan=1, dialprefix=prefix, rateinitial=rate,
                buyrate=str(Decimal(rate) * Decimal("0.6")), initblock=1, billingblock=1,
                startdate="2020-01-01 00:00:00", stopdate="2036-01-01 00:00:00",
                destination=prefix,
            )  # fmt: skip

    def add(self, table: str, **values: Any) -> dict[str, Any]:
        """A row with the next id."""
        row = {"id": len(self.tables[table]) + 1, **values}
        self.tables[table].append(row)
        return row

    def card(self, number: int) -> dict[str, Any]:
        rows = self.tables["cc_card"]
        if 0 < number <= len(rows) and rows[number - 1]["id"] == number:
            return rows[number - 1]
        return next(row for row in rows if row["id"] == number)

    def move(self, number: int, amount: Decimal) -> None:
        """Move a card's balance as the database does: five decimals, half away from zero."""
        card = self.card(number)
        card["credit"] = str((Decimal(card["credit"]) + amount).quantize(FIVE, ROUND_HALF_UP))

    def new_card(self, username: str, **more: Any) -> int:
        """A card without money."""
        usual = {
            "creationdate": "2026-01-01 09:00:00", "username": username, "credit": "0.00000",
            "tariff": 1, "lastname": f"Customer {username}", "currency": "EUR", "typepaid": 1,
            "creditlimit": 100, "country": "BEL",
        }  # fmt: skip
        return self.add("cc_card", **(usual | more))["id"]

    def call(
        self, card: int, start: str, seconds: int, called: str = "3225550199", **more: Any
    ) -> dict[str, Any]:
        """An answered call at the rate there is, as A2Billing prices and stores it."""
        prefix = max((one for one in RATES if called.startswith(one)), key=len)
        cost = (Decimal(RATES[prefix][1]) * seconds / 60).quantize(Decimal("0.000001"))
        buy = (cost * Decimal("0.6")).quantize(FIVE, ROUND_HALF_UP)
        cost = Decimal(more.pop("cost", cost))
        self.move(card, -cost)
        return self.row_of_call(
            card, start, seconds, called, sessionbill=single(cost), buycost=str(buy), **more
        )

    def row_of_call(
        self, card: int, start: str, seconds: int, called: str, **more: Any
    ) -> dict[str, Any]:
        """A row of a call; no balance moves."""
        number = len(self.tables["cc_call"]) + 1
        usual = {
            "uniqueid": f"pbx-{number}.1", "card_id": card, "starttime": start, "stoptime": start,
            "sessiontime": seconds, "calledstation": called, "sessionbill": "0", "id_trunk": 1,
            "src": "3225550101", "dnid": called, "terminatecauseid": 1, "buycost": "0.00000",
            "real_sessiontime": seconds,
        }  # fmt: skip
        return self.add("cc_call", **(usual | more))

    def refill(self, card: int, date: str, amount: str, **more: Any) -> dict[str, Any]:
        """An administrator's refill."""
        self.move(card, Decimal(amount))
        return self.add("cc_logrefill", date=date, credit=amount, card_id=card, **more)

    def payment(self, card: int, date: str, amount: str, **more: Any) -> dict[str, Any]:
        """A payment that moves no balance."""
        return self.add("cc_logpayment", date=date, payment=amount, card_id=card, **more)

    def paid_refill(self, card: int, date: str, gross: str) -> tuple[dict[str, Any], ...]:
        """A payment with its refill, which is net of VAT."""
        share = 1 + Decimal(str(self.card(card).get("vat", 0))) / 100
        net = (Decimal(gross) / share).quantize(FIVE, ROUND_HALF_UP)
        refill = self.refill(card, date, str(net))
        paid = self.payment(card, date, gross, id_logrefill=refill["id"], added_refill=1)
        return refill, paid

    def charge(self, card: int, date: str, amount: str, kind: int = 3, taken: int = 1, **more: Any):
        """A charge that was taken from the balance, or not."""
        if taken:
            self.move(card, -Decimal(amount))
        return self.add(
            "cc_charge", id_cc_card=card, creationdate=date, amount=amount, chargetype=kind,
            charged_status=taken, **more,
        )  # fmt: skip

    def voucher(self, card: int, date: str, amount: str, currency: str = "EUR") -> dict[str, Any]:
        """A voucher that a customer used: it leaves no refill."""
        worth = Decimal(amount) * (Decimal("0.8") if currency == "USD" else 1)
        self.move(card, worth)
        return self.add(
            "cc_voucher", voucher=f"V{len(self.tables['cc_voucher']) + 1:09d}", credit=amount,
            usedcardnumber=self.card(card)["username"], usedate=date, currency=currency,
            creationdate="2026-01-01 00:00:00",
        )  # fmt: skip

    def fill(self, cards: int, calls: int) -> Incumbent:
        """A month of a company whose balances reconcile."""
        draw = self.random
        first = len(self.tables["cc_card"]) + 1
        for number in range(first, first + cards):
            self.new_card(
                f"{1000000 + number}", typepaid=number % 2, creditlimit=500, id_group=1,
                vat=21 if number % 3 else 0,
            )  # fmt: skip
        everybody = range(first, first + cards)
        for card in everybody:
            self.paid_refill(card, self._moment(), f"{draw.randint(5, 100)}.00")
            if card % 4 == 0:
                self.charge(card, self._moment(), "9.95")
            if card % 5 == 0:
                self.refill(card, self._moment(), f"{draw.randint(1, 999) / 100:.2f}")
            if card % 7 == 0:
                self.voucher(card, self._moment(), "5.00", draw.choice(["EUR", "USD"]))
            if card % 11 == 0:
                self.refill(card, self._moment(), "-1.25000", refill_type=2)
        prefixes = [*RATES]
        for _ in range(calls):
            card, start = draw.choice(everybody), self._moment()
            called = f"{draw.choice(prefixes)}{draw.randint(0, 10**6):07d}"
            if draw.random() < 0.3:
                self.row_of_call(
                    card, start, 0, called, sessionbill="-0", terminatecauseid=draw.randint(2, 6)
                )
            else:
                # Five decimals, so that no price is between two balances.
                seconds = draw.randint(1, 60) * 20
                self.call(card, start, seconds, called)
        return self

    def _moment(self) -> str:
        draw = self.random
        clock = f"{draw.randint(0, 23):02d}:{draw.randint(0, 59):02d}:{draw.randint(0, 59):02d}"
        return f"2026-01-{draw.randint(2, 30):02d} {clock}"

    # Where it is read from

    def exported(self, directory: Path) -> Path:
        """The tables as CSV files, as a person exports them."""
        directory.mkdir(exist_ok=True)
        for name, rows in self.tables.items():
            if rows or name == "cc_call":
                with (directory / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                    writer = csv.DictWriter(file, [*SCHEMA[name]], restval="NULL")
                    writer.writeheader()
                    writer.writerows(_with_defaults(name, row) for row in rows)
            else:
                (directory / f"{name}.csv").unlink(missing_ok=True)
        return directory

    def stored(self, connection: Any, database: str) -> None:
        """The tables in a database, made anew."""
        cursor = connection.cursor()
        cursor.execute(f"DROP DATABASE IF EXISTS {database}")
        cursor.execute(f"CREATE DATABASE {database} CHARACTER SET latin1")
        cursor.execute(f"USE {database}")
        for name, columns in SCHEMA.items():
            body = ", ".join(f"{column} {kind}" for column, kind in columns.items())
            cursor.execute(f"CREATE TABLE {name} ({body})")
            self.store(cursor, name)
        connection.commit()

    def store(self, cursor: Any, name: str) -> None:
        """The rows of a table."""
        groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for row in self.tables[name]:
            groups.setdefault(tuple(row), []).append(tuple(row.values()))
        for columns, rows in groups.items():
            marks = ", ".join("%s" for _ in columns)
            cursor.executemany(
                f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
                rows,
            )


_TEXTS = {"cc_card": {"language": "en", "id_group": "1", "status": "1", "vat": "0"}}
_PLAIN = {"charged_status": "0", "refill_type": "0", "typepaid": "0", "sipiax": "0"}


def _with_defaults(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as an export has it: what was not said is the column's default."""
    found: dict[str, Any] = {}
    for column, kind in SCHEMA[table].items():
        if column in row:
            found[column] = "NULL" if row[column] is None else row[column]
        elif column in _TEXTS.get(table, {}):
            found[column] = _TEXTS[table][column]
        else:
            found[column] = next(_default(column, kind))
    return found


def _default(column: str, kind: str) -> Iterator[str]:
    if column in _PLAIN:
        yield _PLAIN[column]
    if "0000-00-00" in kind:
        yield ZERO
    if "DEFAULT ''" in kind:
        yield ""
    yield kind.partition("DEFAULT ")[2].strip("'") or "NULL"
