"""The columns of a rate deck: our names, and the usual names in other systems.

The columns have A2Billing's names. A header of another system is taken for one of them only
where nothing else can be meant; whatever remains is named as not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType

from a2ledger import money

AMOUNTS = (
    *("rateinitial", "buyrate", "connectcharge", "disconnectcharge"),
    *("stepchargea", "stepchargeb", "stepchargec", "chargea", "chargeb", "chargec"),
    *("additional_block_charge", "minimal_cost", "buyconnectcharge"),
)
"""Columns of money, per minute or per call."""

SECONDS = (
    *("initblock", "billingblock", "buyrateinitblock", "buyrateincrement"),
    *("billingblocka", "billingblockb", "billingblockc"),
    *("timechargea", "timechargeb", "timechargec"),
    *("disconnectcharge_after", "rounding_calltime", "rounding_threshold"),
    *("additional_block_charge_time", "additional_grace", "included_seconds"),
)

ALWAYS = MappingProxyType(
    {"startdate": -(2**62), "stopdate": 2**62, "starttime": 0, "endtime": 7 * 24 * 60 - 1}
)
"""The values of a rate's conditions where it has none. Dates are half-open. Minutes of the week
(since Monday 00:00) are inclusive, and a start after the end wraps around the week's end.
"""

FLOORS = MappingProxyType({"billed_from": 1, "buy_billed_from": 1})
"""The shortest lengths that cost something, for the customer and for us, where a deck does not set
them: only a call of no seconds is free.
"""

DEFAULTS = MappingProxyType({**ALWAYS, **FLOORS})
"""The values of columns that a deck leaves out, where that is not 0."""

WORDS = ("increment", "buyincrement", "included", "blocked", "is_credit")
"""Columns whose words say how to read other columns."""

TEXTS = ("dialprefix", "destination", "carrier")

COLUMNS = (*TEXTS, *WORDS, *AMOUNTS, *SECONDS, *FLOORS, *ALWAYS)
"""Every column of a deck."""

STEPS = frozenset(
    f"{name}{step}"
    for name in ("charge", "timecharge", "stepcharge", "billingblock")
    for step in "abc"
)
"""Columns of A2Billing's steps. A deck that has them all is taken for A2Billing's own: in it a
charge of 0 means no step, and signs are ignored. In any other deck a charge of 0 is a free step.
"""

MAX_AMOUNT = 1_000_000 * money.MICRO
MAX_SECONDS = 1_000_000
"""The longest block, and the longest call. The integers of rating rely on both limits."""

PAIRS = ("billingblock", "buyrateincrement")
"""Columns that may hold both blocks in one cell, such as ``60/60``."""

FIRST = MappingProxyType({"billingblock": "initblock", "buyrateincrement": "buyrateinitblock"})
"""The column of the first block, by the column of the blocks after it."""

_ALIASES = {
    "dialprefix": (
        "prefix code dialcode diallingcode dialingcode destinationprefix destinationcode dstcode "
        "destcode prefixcode"
    ),
    "destination": "ratename destinationname description name",
    "carrier": "provider vendor supplier",
    "rateinitial": (
        "rate price sellrate sellingrate sellprice retailrate rateperminute priceperminute "
        "costperminute perminutecost perminuterate ratemin pricemin costmin ratecost"
    ),
    "buyrate": "buycost buyprice buyingrate buyingprice costrate purchaserate purchaseprice",
    "connectcharge": (
        "connectcost connectfee connectionfee connectioncharge connectioncost ratesurcharge "
        "surcharge setupfee setupcost setupcharge setup flagfall accesscharge"
    ),
    "buyconnectcharge": "buyconnectcost buyconnectfee buysetupfee",
    "disconnectcharge": "disconnectcost disconnectfee",
    "minimal_cost": "mincost minimumcost minimumcharge mincharge minimalcharge",
    "initblock": (
        "rateminimum minduration minimumduration minimalduration minimumtime mintime "
        "minimumseconds minseconds initincrement initialincrement initialblock firstincrement "
        "firstblock firstinterval interval1 minimum"
    ),
    "billingblock": (
        "billingincrement billingincrements rateincrement increments inc incrementseconds "
        "subsequentincrement subsequentblock nextincrement nextblock nextinterval intervaln "
        "pulse billinginterval billingunit"
    ),
    "buyrateinitblock": "buyinitblock buyminimum",
    "buyrateincrement": "buybillingblock buybillingincrement",
    "included_seconds": "includedsec inclsec freeseconds secondsincluded secondsfree",
    "startdate": (
        "effectivedate effectivefrom effective effectiveon dateeffective validfrom fromdate "
        "startingdate begindate activationdate activationtime"
    ),
    "stopdate": (
        "enddate validto validuntil expirationdate expirydate expiry expires expiration todate "
        "effectivetill effectiveuntil effectiveto"
    ),
    "blocked": "isblocked barred",
}

_OWN = {re.sub("[^a-z0-9]", "", name): name for name in COLUMNS}
_OTHERS = {alias: name for name, aliases in _ALIASES.items() for alias in aliases.split()}
_REMAINDER = frozenset(
    [
        *("rateminimum", "minduration", "minimumduration", "rateincrement", "billingincrement"),
        *("billingincrements", "initincrement", "initialincrement", "firstincrement", "inc"),
        *("increments", "interval1", "intervaln", "nextincrement", "subsequentincrement"),
    ]
)


def plain(header: str) -> str:
    """Return a header in lower case, without blanks and punctuation.

    >>> plain("Connect_Cost"), plain("Billing Increment")
    ('connectcost', 'billingincrement')
    """
    return re.sub(r"[\W_]", "", header.lower())


def named(headers: Sequence[str], numeric: bool = False) -> list[str]:
    """Return a deck's headers, with those of other systems replaced by our names of columns.

    Args:
        headers: as they are written.
        numeric: whether ``increment`` holds seconds, as other systems write it.
    """
    names = [_OWN.get(plain(header), header) for header in headers]
    if numeric:
        names = ["billingblock" if name == "increment" else name for name in names]
    own = set(names) - {"dialprefix"}
    return [
        name
        if name in COLUMNS or (alias := _OTHERS.get(plain(name), "")) in own or not alias
        else alias
        for name in names
    ]


def from_first_block(headers: Sequence[str]) -> bool:
    """Return whether blocks count from the end of the first one unless a row says otherwise.

    That is how the systems count whose names for the two blocks these are.
    """
    return bool(_REMAINDER & {plain(header) for header in headers})
