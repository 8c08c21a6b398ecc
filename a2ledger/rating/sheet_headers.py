"""Recognise the headers of carriers' rate sheets, by usual words of many languages."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

_NAMES = {
    "prefix": (
        "prefix prefixes dialprefix code codes dialcode dialcodes dialingcode diallingcode "
        "destinationcode destcode dstcode destinationprefix prefixcode breakout breakouts "
        "numberprefix vorwahl vorwahlen zielvorwahl präfix rufnummernpräfix préfixe préfixes "
        "prefixe indicatif indicatifs prefijo prefijos código códigos codigo codigos prefisso "
        "prefissi codice codici prefixo prefixos kengetal netnummer voorvoegsel prefiks "
        "kierunkowy numerkierunkowy riktnummer dialingprefix diallingprefix dialingcodes phonecode "
        "e164 e164prefix numberrange numberranges prefixlist digits landsnummer код коды префикс "
        "πρόθεμα κωδικός"
    ),
    "country_code": (
        "countrycode cc countrydialcode countryprefix ländervorwahl landesvorwahl "
        "landeskennzahl länderkennung codepays indicatifpays códigopaís codigopais "
        "códigodepaís codigodepais prefissopaese codicepaese prefissointernazionale landcode "
        "landnummer códigodopaís codigodopais codpaís кодстраны κωδικόςχώρας"
    ),
    "area_code": (
        "areacode areacodes citycode citycodes ndc localcode nationalcode regioncode "
        "ortsvorwahl ortskennzahl netzkennzahl codezone coderégion codelocal códigodeárea "
        "códigoárea codigodearea codigoarea prefissolocale kencijfer кодгорода кодзоны"
    ),
    "destination": (
        "destination destinations destinationname dest destname destinationcountry "
        "ratename description zonename route ziel "
        "zielname bezeichnung libellé libelle destino descripción descrição destinazione "
        "descrizione bestemming omschrijving kierunek opis направление назначение προορισμός "
        "name zone location region country countryname land zielland pays país pais paese "
        "kraj страна χώρα"
    ),
    "rate": (
        "newrate newprice neuerpreis neuertarif nouveauprix nouveautarif nuevoprecio "
        "nuevatarifa nuovoprezzo nuovatariffa nieuwtarief novopreço rateperminute "
        "priceperminute perminuterate ratepermin pricepermin ratemin pricemin permin "
        "perminute rate rates price cost costperminute costpermin perminutecost sellrate "
        "sellprice buyrate buyprice standardrate minutenpreis preispromin preisprominute "
        "preismin preisminute preis tarif prixparminute prixminute prixmin prix "
        "precioporminuto preciominuto preciomin precio tarifaporminuto tarifa prezzoalminuto "
        "prezzominuto prezzo tariffa prijsperminuut prijs tarief preçoporminuto preço preco "
        "cenazaminutę cena stawka ценазаминуту цена тариф ставка τιμή χρέωση rateinitial "
        "minuterate minuteprice minutetariff perminutecharge chargeperminute chargepermin "
        "unitprice unitrate callrate terminationrate tariff price1 rate1 peakrate "
        "currentrate currentprice ratecost costmin sellingrate sellingprice retailrate"
    ),
    "connect": (
        "connectcharge connectcost connectfee connectionfee connectioncharge connectioncost "
        "setup setupfee setupcost setupcharge surcharge flagfall accesscharge callsetup "
        "callsetupfee verbindungsentgelt verbindungsgebühr einrichtungsgebühr "
        "fraisdeconnexion coûtdeconnexion miseenrelation establecimiento "
        "costedeestablecimiento scattoallarisposta starttarief opzetkosten ratesurcharge"
    ),
    "increments": (
        "billingincrement billingincrements increment increments billing billingterms "
        "billinginterval billinginc billingunit rounding interval intervals rateincrement "
        "pulse taktung takt incrément incréments incrementdebillage palier incremento "
        "incrementos facturación fatturazione scatti afrekening incrementoscobro шаг "
        "тарификация roundingrule roundingrules chargingincrement chargeincrement "
        "tarificação faturamento facturation tarificación tarifazione"
    ),
    "first": (
        "initblock initialincrement initincrement firstincrement firstblock firstinterval "
        "interval1 minduration minimumduration minimumtime mintime minimum min minsec "
        "minimumseconds mindestdauer ersttakt duréeminimale duréeminimum duraciónmínima "
        "minimumincrement rateminimum initialblock minimumseconds mindur"
    ),
    "following": (
        "billingblock subsequentincrement nextincrement additionalincrement subsequentblock "
        "nextinterval intervaln inc increment2 folgetakt incsec"
    ),
    "effective": (
        "effectivedate effective effectivefrom effectiveon dateeffective validfrom startdate "
        "from fromdate begindate activedate activationdate gültigab gueltigab wirksamab "
        "gültigkeit dateeffet datedeffet dateentréeenvigueur validdepuis àpartirdu "
        "applicableàpartirdu fechaefectiva vigencia válidodesde validodesde fechadeinicio "
        "fechainicio decorrenza datadecorrenza validodal ingangsdatum geldigvanaf dataefetiva "
        "vigência válidodesde obowiązujeod dataobowiązywania действуетс датаначала datum "
        "fecha ισχύειαπό datadeinício datainício iníciodavigência iníciovigência "
        "datadevigência válidoapartirde vigenteapartirde vigentedesde efectivodesde "
        "aplicabledesde validadal dataeffettiva datadiinizio datainizio efficaciadal "
        "datedapplication datedevigueur dateapplication geldigper perdatum "
        "gültigseit stichtag inkrafttreten ważneod gäller giltigfrån gælderfra gyldigfra "
        "датаввода датавступления сдаты startingdate newratedate neweffectivedate"
    ),
    "until": (
        "enddate expirydate expirationdate expires validto validuntil todate effectivetill "
        "stopdate gültigbis gueltigbis datefin datedefin fechafin fechadefin válidohasta "
        "validohasta validofinoal geldigtot"
    ),
    "status": (
        "status change changes changetype ratechange ratestatus codestatus action änderung "
        "statut estado cambio stato variazione wijziging zmiana статус изменение"
    ),
    "blocked": (
        "blocked isblocked barred isbarred forbidden isforbidden gesperrt bloqué bloqueado "
        "bloccato geblokkeerd verboten interdit prohibido vietato"
    ),
    "discontinued": "discontinued isdiscontinued deleted isdeleted removed",
    "rate_after": "pricen raten nextprice nextrate",
    "currency": "currency curr währung devise moneda valuta moeda waluta валюта νόμισμα",
}

FIELDS = tuple(_NAMES)
"""The fields that a column of a sheet may be."""


def folded(text: str) -> str:
    """Return a word as it is compared: lower case, without accents, blanks and punctuation.

    >>> folded("Data de Início"), folded("Gültig-ab"), folded("Erhöhung")
    ('datadeinicio', 'gultigab', 'erhohung')
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[\W_]", "", "".join(mark for mark in apart if not unicodedata.combining(mark)))


_RANKS = {
    folded(name): (field, rank)
    for field, names in _NAMES.items()
    for rank, name in reversed(list(enumerate(names.split())))
}

SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY", "₽": "RUB", "₹": "INR", "zł": "PLN", "$": "$"}
"""Currency signs. The dollar sign may be any country's dollar."""

CODES = (
    *("USD", "EUR", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN", "TRY"),
    *("RUB", "UAH", "CAD", "AUD", "NZD", "JPY", "CNY", "INR", "BRL", "MXN", "ZAR", "AED", "SAR"),
    *("ILS", "SGD", "HKD", "MAD", "EGP", "NGN", "KES"),
)
"""Currency codes that are recognised beside prices."""

_CODE = re.compile(rf"\b({'|'.join(CODES)})\b", re.IGNORECASE)
_CENT = re.compile(r"\b(?:cents?|ct|cts|pence|c/min)\b|¢", re.IGNORECASE)
_PER_SECOND = re.compile(
    r"(?:/|per|pro|par|por)\s*s(?:ec(?:ond)?s?|ek(?:unde)?|egundo)?\b", re.IGNORECASE
)
_UNIT = re.compile(
    r"\([^)]*\)|\[[^]]*\]|(?:/|\b(?:per|pro|par|por|al)\b)\s*\w+|\b(?:in|en)\b", re.IGNORECASE
)
_EXTRA = re.compile(
    r"\b(?:(?:excl?|excluding|exklusive|zzgl|ohne|sans|sin|senza|hors|ht|taxes?|tva|iva|vat|mwst|btw"
    r"|moms|net|netto|nett|final|your|proposed|offered|voice|outbound|termination|a-z)\b\.?\s*)+",
    re.IGNORECASE,
)
"""Words around the name of a price that do not change what it is."""
_WITH_TAX = re.compile(r"\b(?:incl\w*|inkl\w*|ttc|gross|brutto|compris\w*)\b", re.IGNORECASE)
_OTHER_TIME = re.compile(
    r"\b(?:off[\s-]?peak|week[\s-]?ends?|nights?|evenings?|nebenzeit|nebentarif|wochenende|nacht"
    r"|heures?\s+creuses?|hors\s+pointe|nuit|noche|nocturn[ao]|hora\s+reducida|fin\s+de\s+semana"
    r"|fuera\s+de\s+punta|notte|festiv[oi]|daluren|weekeinde)\b",
    re.IGNORECASE,
)
"""Words of columns with prices for other times of the day or week."""
_NEW = re.compile(
    r"\b(?:new|neue?[rs]?|nouve(?:au|lle)|nuev[oa]|nuov[oa]|nieuwe?|nov[oa]|nowa|новая|новый)\b",
    re.IGNORECASE,
)
_OLD = ("old", "previous", "prior", "alt", "ancien", "anterior", "vecchi", "oud", "last")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header: the place of each field, and what it says of the prices below."""

    places: dict[str, int]
    unread: tuple[str, ...] = ()
    """Headers of columns that are not read."""
    currency: str = ""
    """The currency code or sign in the header of prices."""
    divisor: int = 1
    """100 if prices are in cents."""
    factor: int = 1
    """60 if prices are per second."""
    other_times: Mapping[int, str] = field(default_factory=dict)
    """Names of the columns of prices at other times of the day or week, by their places."""


def find(
    cells: Sequence[str], mapping: Mapping[str, str], below: Sequence[str] = ()
) -> Header | None:
    """Parse a row as a header, or None if it lacks a column of numbers or of prices.

    Args:
        cells: of the row.
        mapping: header of a field, where a person has said so.
        below: cells of the next row, which may hold the rest of a header of two rows.
    """
    places: dict[str, int] = {}
    ranks: dict[str, tuple[int, int]] = {}
    mapped = {folded(header): field for field, header in mapping.items()}
    for place, cell in enumerate(cells):
        name = folded(cell)
        if not name:
            continue
        if name in mapped:
            places[mapped[name]], ranks[mapped[name]] = place, (-1, place)
            continue
        field, rank = _field(cell)
        if field and field not in mapping and (rank, place) < ranks.get(field, (999, 0)):
            places[field], ranks[field] = place, (rank, place)
    if set(mapping) - set(places) or "rate" not in places:
        return None
    if not {"prefix", "area_code", "country_code"} & set(places):
        return None
    price = cells[places["rate"]]
    unread = [cell for place, cell in enumerate(cells) if cell and place not in places.values()]
    return Header(
        places=places,
        unread=tuple(unread),
        currency=currency(price),
        divisor=100 if _CENT.search(price) else 1,
        factor=60 if _PER_SECOND.search(price) else 1,
        other_times={} if "rate" in mapping else _other_times(cells, below, set(places.values())),
    )


def _other_times(
    cells: Sequence[str], below: Sequence[str], known: Container[int]
) -> dict[int, str]:
    """Return the columns of prices at other times, by the header or by the row below it."""
    names = enumerate(itertools.zip_longest(cells, below, fillvalue=""))
    return {
        place: lower if _OTHER_TIME.search(lower) else upper
        for place, (upper, lower) in names
        if place not in known and (_OTHER_TIME.search(upper) or _OTHER_TIME.search(lower))
    }


def currency(text: str) -> str:
    """Return the currency a text mentions, by code or sign, or empty if it mentions none.

    >>> currency("Rate (USD/min)"), currency("0.05 €"), currency("Rate")
    ('USD', 'EUR', '')
    """
    if match := _CODE.search(text):
        return match[1].upper()
    return next((code for sign, code in SIGNS.items() if sign in text), "")


def _without_units(cell: str) -> str:
    """Return a column's name without currency, unit and what stands in brackets."""
    words = _CENT.sub("", _CODE.sub("", _UNIT.sub(" ", cell)))
    for sign in SIGNS:
        words = words.replace(sign, " ")
    return words


def _field(cell: str) -> tuple[str, int]:
    """Return a column's field by its name, and the rank of the match: 0 is best."""
    if "%" in cell:  # by how much a price changes
        return "", 0
    words = cell.lower()
    bare = _without_units(cell)
    names = [(cell, 0), (bare, 100)]
    if not _WITH_TAX.search(cell):
        names.append((_EXTRA.sub(" ", bare), 200))
    for name, behind in names:
        if (match := _RANKS.get(folded(name))) is not None:
            return match[0], match[1] + behind
    if _RANKS.get(folded(_NEW.sub(" ", bare)), ("", 0))[0] == "rate" and _NEW.search(bare):
        return "rate", 0
    if any(word in words.split() for word in _OLD):
        field = ""
    elif currency(cell) and not re.search(r"\d", cell):  # "Voice in USD"
        field = "rate"
    elif "increment" in words or "unit in sec" in words:
        field = "increments"
    else:
        field = ""
    return field, 300
