"""Recognise columns of tables by the words that spreadsheets of other languages use for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from a2ledger.sources.answered import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WORDS = {
    "customer": (
        "customerid customernumber customerno client clientid clientnumber account accountid "
        "accountnumber accountno klant klantnummer klantnr klantcode kunde kundennummer kundennr "
        "noclient numeroclient numerodeclient codeclient cliente numerocliente numerodecliente "
        "codigocliente codicecliente codigodocliente klient numerklienta"
    ),
    "name": (
        "customername clientname fullname company companyname naam klantnaam bedrijf bedrijfsnaam "
        "firmanaam kundenname firma firmenname nom nomclient nomduclient societe raisonsociale "
        "nombre razonsocial nome ragionesociale razaosocial nazwa"
    ),
    "credit_limit": (
        "creditlimit limit kredietlimiet limiet kreditlimit kreditrahmen limitedecredit plafond "
        "plafonddecredit limitedecredito limitecredito limitedicredito fido limitkredytowy"
    ),
    "tariff": (
        "pricelist rateplan callplan tarief tariefplan prijslijst preisliste tarifplan tarif "
        "listedeprix grilletarifaire tarifa listadeprecios tariffa listino taryfa cennik"
    ),
    "identifiers": (
        "numbers phonenumbers telephonenumbers dids devices extensions nummers telefoonnummers "
        "toestellen rufnummern telefonnummern nummern numeros lignes numeri numery"
    ),
    "opened": "customersince since startdate klantsinds kundeseit clientdepuis clientedesde",
    "email": (
        "emailaddress mail mailaddress emailadres mailadres emailadresse mailadresse "
        "adressemail courriel adresseemail correo correoelectronico indirizzoemail"
    ),
    "address": "postaladdress adres adresse anschrift direccion indirizzo endereco morada",
    "street": "streetaddress address1 straat strasse rue calle via rua ulica",
    "street2": "address2 adres2 adresse2",
    "postcode": (
        "zip zipcode postalcode postcodes plz postleitzahl codepostal cp codigopostal cap "
        "kodpocztowy"
    ),
    "city": "town place stad gemeente woonplaats plaats ort stadt ville ciudad citta cidade miasto",
    "region": "state province provincie provincia bundesland",
    "country": "countrycode land landcode pays codepays pais paese kraj",
    "vat_id": (
        "vatnumber vatno vatid btw btwnummer btwnr ustid ustidnr umsatzsteuerid numerotva tva "
        "numerodetva nif cif partitaiva piva nip"
    ),
    "registration": "companynumber ondernemingsnummer kvk kvknummer siren siret handelsregister",
    "phone": (
        "telephone tel phonenumber telefoon telefoonnummer telefon telefonnummer telefono telefone"
    ),
    "contact": "contactperson contactpersoon ansprechpartner contacto contatto",
    "language": "taal sprache langue idioma lingua jezyk",
    "terms": "paymentterms betalingstermijn zahlungsziel delaidepaiement",
    "id": (
        "paymentid transactionid transaction transactie transactienummer transaktionsnummer "
        "numerodetransaction"
    ),
    "date": (
        "paymentdate bookingdate datum boekingsdatum betaaldatum buchungsdatum buchungstag "
        "datedepaiement dateoperation fecha data"
    ),
    "amount": "bedrag betrag montant importe importo kwota",
    "service": "product dienst produkt produit servicio servizio",
    "quantity": "qty count aantal anzahl menge quantite cantidad quantita",
    "from": "start startdate begin since vanaf ab von apartirde depuis desde dal",
    "until": "end enddate tot bis jusqua hasta fino",
    "description": "omschrijving bezeichnung beschreibung libelle descripcion descrizione opis",
    "reference": "ref referentie kenmerk referenz referencia riferimento",
    "method": "paymentmethod betaalwijze zahlungsart modedepaiement",
}
"""What else a column may be called, in small letters without blanks, marks and accents."""
_OF_ONE = (
    "price unitprice prijs eenheidsprijs preis einzelpreis prix prixunitaire precio prezzo cena"
)
"""Words for the price of one, which is an amount only where the table has a quantity beside it."""


def recognised(
    known: tuple[str, ...], columns: Sequence[str], renamed: Mapping[str, str]
) -> dict[str, str]:
    """Return the column of ours for each name of a header that is one under another word.

    Args:
        known: our columns.
        columns: the names of a header, in small letters.
        renamed: what our columns are called in this table, such as ``{"customer": "id"}``.
    """
    words: dict[str, str] = {}
    of_one = {"amount": f"{_WORDS['amount']} {_OF_ONE}"} if "quantity" in known else {}
    for column, text in (_WORDS | of_one).items():
        ours = renamed.get(column, column)
        if ours in known:
            words = dict.fromkeys((plain(column), *text.split()), ours) | words
    found: dict[str, str] = {}
    for name in columns:
        ours = words.get(plain(name), "")
        if name not in known and ours and ours not in {*columns, *found.values()}:
            found[name] = ours
    return found
