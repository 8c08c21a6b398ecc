"""QR codes for payers' telephones: the EPC code for euros, and the Swiss payment slip.

Both say what the text beside them says: whom to pay, how much, under which reference. There is
none where nothing is to pay, or something is missing for it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from a2ledger import money, vat
from a2ledger.documents import references

_EPC_NAME = 70
_EPC_LEAST, _EPC_MOST = Decimal("0.01"), Decimal("999999999.99")
_LONGEST = {"name": 70, "street": 70, "postcode": 16, "city": 35}
"""Most letters of each line of a slip."""
_SLIP_CURRENCIES = ("CHF", "EUR")
_SLIP_LANGUAGES = ("de", "en", "fr", "it")


def asked(document: Mapping[str, Any]) -> bool:
    """Return whether a document asks for a bank transfer, which a code can pay."""
    return (
        document["kind"] == "invoice"
        and bool(document["to_pay"])
        and money.parse(document["to_pay"]) > 0
        and references.is_iban(document["supplier"].get("iban") or "")
        and not references.debit(document["supplier"], document["customer"], document["currency"])
    )


def epc(document: Mapping[str, Any]) -> str:
    """Return a document's EPC code as an SVG for ``src``, or empty if it has none.

    A code of the European Payments Council (EPC069-12) pays in euros, from one cent on.

    Args:
        document: in the shape of its JSON.
    """
    if not asked(document) or document["currency"] != "EUR":
        return ""
    amount = Decimal(document["to_pay"])
    supplier = document["supplier"]
    if not _EPC_LEAST <= amount <= _EPC_MOST or is_swiss(document):
        return ""
    from segno import helpers  # noqa: PLC0415 - few commands draw

    reference = references.of_document(document)
    structured = references.is_creditor(reference)
    code = helpers.make_epc_qr(
        supplier["name"][:_EPC_NAME],
        references.compact(supplier["iban"]),
        amount,
        text=None if structured else reference,
        reference=reference if structured else None,
        bic=references.compact(supplier.get("bic") or "") or None,
    )
    uri: str = code.svg_data_uri(scale=4, border=4, light="white", dark="black")
    return uri


def is_swiss(document: Mapping[str, Any]) -> bool:
    """Return whether a document is paid into a Swiss or Liechtenstein account."""
    iban = references.compact(document["supplier"].get("iban") or "")
    return iban[:2] in {"CH", "LI"}


def slip(document: Mapping[str, Any], language: str) -> str:
    """Return a document's Swiss payment slip as an SVG for ``src``, or empty if it has none.

    Swiss banks want the supplier's town and country told apart, and Swiss francs or euros.

    Args:
        document: in the shape of its JSON.
        language: of the slip; English where slips have none of that.
    """
    supplier = document["supplier"]
    creditor = _address(supplier)
    wanted = asked(document) and is_swiss(document) and creditor
    if not wanted or document["currency"] not in _SLIP_CURRENCIES:
        return ""
    from qrbill import QRBill  # noqa: PLC0415 - few commands draw

    reference = references.of_document(document)
    structured = references.is_creditor(reference) or references.is_qr_iban(supplier["iban"])
    drawn = QRBill(
        account=references.compact(supplier["iban"]),
        creditor=creditor,
        debtor=_address(document["customer"]) or None,
        amount=document["to_pay"],
        currency=document["currency"],
        reference_number=reference if structured else None,
        additional_information="" if structured else reference,
        language=language if language in _SLIP_LANGUAGES else "en",
        top_line=True,
        payment_line=True,
    )
    out = io.StringIO()
    drawn.as_svg(out)
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue().encode()).decode()


def _address(party: Mapping[str, str]) -> dict[str, str]:
    """Return a party's address on a slip, or empty if town or country is missing."""
    name, street, postcode, city = (
        (party.get(key) or "")[:longest] for key, longest in _LONGEST.items()
    )
    country = vat.nation(party.get("country") or "")
    if not (name and postcode and city and country):
        return {}
    return {"name": name, "street": street, "pcode": postcode, "city": city, "country": country}
