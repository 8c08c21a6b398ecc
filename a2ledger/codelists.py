"""Code lists of EN 16931 for facts of documents, as of release 1.3.16 of its rules.

Only lists that a party's facts or a book's currency can miss are here; codes that the program
chooses itself need no list.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stdnum import ean, luhn
from stdnum.au import abn
from stdnum.be import vat as belgian
from stdnum.exceptions import ValidationError
from stdnum.it import iva as italian
from stdnum.no import orgnr as norwegian

_COUNTRIES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN "
    "BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE "
    "DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN "
    "GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE "
    "KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA "
    "PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK "
    "SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG "
    "UM US UY UZ VA VC VE VG VI VN VU WF WS XI YE YT ZA ZM ZW 1A "
)
COUNTRIES = frozenset(_COUNTRIES.split())
"""ISO 3166-1 codes, XI for Northern Ireland, and 1A for Kosovo."""

_CURRENCIES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP "
    "BYN BZD CAD CDF CHE CHF CHW CLF CLP CNH CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP "
    "ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR "
    "ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA "
    "MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK "
    "PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STD SVC "
    "SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VES VED VND "
    "VUV WST XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR "
    "ZMW ZWG "
)
CURRENCIES = frozenset(_CURRENCIES.split())
"""ISO 4217 codes."""

_ADDRESSES = (
    "0002 0007 0009 0037 0060 0088 0096 0097 0106 0130 0135 0142 0147 0151 0154 0158 0170 "
    "0177 0183 0184 0188 0190 0191 0192 0193 0194 0195 0196 0198 0199 0200 0201 0202 0203 "
    "0204 0205 0208 0209 0210 0211 0212 0213 0215 0216 0217 0218 0219 0220 0221 0225 0230 "
    "0235 0240 0244 0242 0245 0246 0248 9910 9913 9914 9915 9918 9919 9920 9922 9923 9924 "
    "9925 9926 9927 9928 9929 9930 9931 9932 9933 9934 9935 9936 9937 9938 9939 9940 9941 "
    "9942 9943 9944 9945 9946 9947 9948 9949 9950 9951 9952 9953 9957 9959 "
)
ADDRESSES = frozenset(_ADDRESSES.split())
"""Numeric schemes of electronic addresses (EAS). Peppol addresses have one of them."""

MAIL = "EM"
"""The electronic address scheme of an e-mail address."""

_REGISTERS = range(2, 249)
_UNUSED = {92, 103, 181, 182}


def is_register(scheme: str) -> bool:
    """Return whether a scheme is in ISO 6523's list of registers (ICD).

    >>> is_register("0208"), is_register("9925"), is_register("EM")
    (True, False, False)
    """
    if not re.fullmatch(r"[0-9]{4}", scheme, re.ASCII):
        return False
    return int(scheme) in _REGISTERS and int(scheme) not in _UNUSED


def _swedish(number: str) -> str:
    if len(number) != len("5560360793"):
        raise ValidationError
    return luhn.validate(number)


_VALID: dict[str, Callable[[str], str]] = {
    "0007": _swedish,
    "0088": ean.validate,
    "0151": abn.validate,
    "0192": norwegian.validate,
    "0208": belgian.validate,
    "0211": lambda number: italian.validate(number.removeprefix("IT")),
}
"""Validators of numbers by scheme. Numbers of other schemes are not checked."""
_SHAPES = {
    "0007": "[0-9]{10}",
    "0088": "[0-9]{13}",
    "0151": "[0-9]{11}",
    "0184": "(DK)?[0-9]{8}",
    "0192": "[0-9]{9}",
    "0208": "[0-9]{10}",
    "0211": "IT[0-9]{11}",
}


def is_number(scheme: str, number: str) -> bool:
    """Return whether a number is valid in a scheme, as far as that is known.

    >>> is_number("0208", "0403170701"), is_number("0208", "0403170702")
    (True, False)
    """
    if not re.fullmatch(_SHAPES.get(scheme, r"\S(.{0,98}\S)?"), number, re.ASCII):
        return False
    try:
        _VALID.get(scheme, str)(number)
    except ValidationError:
        return False
    return True
