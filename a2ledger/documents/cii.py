"""E-invoices in CII (UN/CEFACT Cross Industry Invoice D16B), the syntax inside Factur-X.

What is written fits the Factur-X profile EN 16931, which is EN 16931 and no more. Peppol's network
takes UBL, so that a document for it claims EN 16931 here; XRechnung may be in either syntax.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from a2ledger.documents import einvoice
from a2ledger.documents.einvoice import Allowance, Attachment, EInvoice, Item, Party
from a2ledger.documents.markup import Element, tag, written

_CII = "urn:un:unece:uncefact:data:standard:"
_NAMESPACES = {
    "xmlns:rsm": f"{_CII}CrossIndustryInvoice:100",
    "xmlns:ram": f"{_CII}ReusableAggregateBusinessInformationEntity:100",
    "xmlns:udt": f"{_CII}UnqualifiedDataType:100",
    "xmlns:qdt": f"{_CII}QualifiedDataType:100",
}
_DAY = "102"
"""UNTDID 2379: a day as YYYYMMDD."""
_LOT = "C62"
"""UN/ECE Recommendation 20: one piece."""
_ATTACHED = "916"
"""UNTDID 1001: a document that comes with the invoice."""


def write(invoice: EInvoice) -> bytes:
    """Return the ``CrossIndustryInvoice`` of an e-invoice."""
    german = invoice.profile == einvoice.XRECHNUNG
    process, profile = (einvoice.PROCESS, invoice.profile) if german else ("", einvoice.CORE)
    return written(
        "rsm:CrossIndustryInvoice",
        _NAMESPACES,
        tag(
            "rsm:ExchangedDocumentContext",
            tag("ram:BusinessProcessSpecifiedDocumentContextParameter", tag("ram:ID", process)),
            tag("ram:GuidelineSpecifiedDocumentContextParameter", tag("ram:ID", profile)),
        ),
        tag(
            "rsm:ExchangedDocument",
            tag("ram:ID", invoice.number),
            tag("ram:TypeCode", invoice.kind),
            _day("ram:IssueDateTime", invoice.issue_date),
            tag("ram:IncludedNote", tag("ram:Content", invoice.note)),
        ),
        tag(
            "rsm:SupplyChainTradeTransaction",
            *map(_line, invoice.items),
            tag(
                "ram:ApplicableHeaderTradeAgreement",
                tag("ram:BuyerReference", invoice.buyer_reference),
                _party("ram:SellerTradeParty", invoice.seller),
                _party("ram:BuyerTradeParty", invoice.buyer),
                tag(
                    "ram:BuyerOrderReferencedDocument",
                    tag("ram:IssuerAssignedID", invoice.order_reference),
                ),
                *map(_attachment, invoice.attachments),
            ),
            tag(
                "ram:ApplicableHeaderTradeDelivery",  # has to be there, and not empty
                tag(
                    "ram:ShipToTradeParty",
                    tag("ram:PostalTradeAddress", tag("ram:CountryID", invoice.deliver_to)),
                ),
                tag(
                    "ram:ActualDeliverySupplyChainEvent",
                    _day("ram:OccurrenceDateTime", invoice.end),
                ),
            ),
            tag("ram:ApplicableHeaderTradeSettlement", *_settlement(invoice)),
        ),
    )


def _day(name: str, day: str, kind: str = "udt:DateTimeString") -> Element | None:
    return tag(name, tag(kind, day.replace("-", ""), format=_DAY))


def _period(start: str, end: str) -> Element | None:
    return tag(
        "ram:BillingSpecifiedPeriod",
        _day("ram:StartDateTime", start),
        _day("ram:EndDateTime", end),
    )


def _line(item: Item) -> Element | None:
    return tag(
        "ram:IncludedSupplyChainTradeLineItem",
        tag("ram:AssociatedDocumentLineDocument", tag("ram:LineID", item.id)),
        tag(
            "ram:SpecifiedTradeProduct",
            tag("ram:Name", item.name),
            tag("ram:Description", item.description),
        ),
        tag(
            "ram:SpecifiedLineTradeAgreement",
            tag("ram:NetPriceProductTradePrice", tag("ram:ChargeAmount", item.price)),
        ),
        tag(
            "ram:SpecifiedLineTradeDelivery",
            tag("ram:BilledQuantity", item.quantity, unitCode=_LOT),
        ),
        tag(
            "ram:SpecifiedLineTradeSettlement",
            tag(
                "ram:ApplicableTradeTax",
                tag("ram:TypeCode", "VAT"),
                tag("ram:CategoryCode", item.category),
                tag("ram:RateApplicablePercent", item.rate),
            ),
            _period(item.start, item.end),
            tag(
                "ram:SpecifiedTradeSettlementLineMonetarySummation",
                tag("ram:LineTotalAmount", item.net),
            ),
        ),
    )


def _party(name: str, party: Party) -> Element | None:
    endpoint, registration = party.endpoint, party.registration
    return tag(
        name,
        tag("ram:ID", party.identifier),
        tag("ram:Name", party.name),
        tag(
            "ram:SpecifiedLegalOrganization",
            tag("ram:ID", registration.number, schemeID=registration.scheme)
            if registration
            else None,
        ),
        tag(
            "ram:DefinedTradeContact",
            tag("ram:PersonName", party.contact),
            tag("ram:TelephoneUniversalCommunication", tag("ram:CompleteNumber", party.phone)),
            tag("ram:EmailURIUniversalCommunication", tag("ram:URIID", party.email)),
        ),
        tag(
            "ram:PostalTradeAddress",
            tag("ram:PostcodeCode", party.postcode),
            tag("ram:LineOne", party.street),
            tag("ram:LineTwo", party.street2),
            tag("ram:LineThree", party.street3),
            tag("ram:CityName", party.city),
            tag("ram:CountryID", party.country),
            tag("ram:CountrySubDivisionName", party.region),
        ),
        tag(
            "ram:URIUniversalCommunication",
            tag("ram:URIID", endpoint.number, schemeID=endpoint.scheme) if endpoint else None,
        ),
        tag("ram:SpecifiedTaxRegistration", tag("ram:ID", party.vat_id, schemeID="VA")),
        tag("ram:SpecifiedTaxRegistration", tag("ram:ID", party.tax_id, schemeID="FC")),
    )


def _attachment(file: Attachment) -> Element | None:
    return tag(
        "ram:AdditionalReferencedDocument",
        tag("ram:IssuerAssignedID", file.name),
        tag("ram:TypeCode", _ATTACHED),
        tag("ram:Name", file.description),
        tag(
            "ram:AttachmentBinaryObject",
            base64.b64encode(file.content).decode(),
            mimeCode=file.mime,
            filename=file.name,
        ),
    )


def _settlement(invoice: EInvoice) -> Iterator[Element | None]:
    if payment := invoice.payment:
        yield tag("ram:CreditorReferenceID", payment.creditor)
        yield tag("ram:PaymentReference", payment.reference)
    yield tag("ram:TaxCurrencyCode", invoice.tax_currency)
    yield tag("ram:InvoiceCurrencyCode", invoice.currency)
    if payment:
        yield tag(
            "ram:SpecifiedTradeSettlementPaymentMeans",
            tag("ram:TypeCode", payment.means),
            tag("ram:PayerPartyDebtorFinancialAccount", tag("ram:IBANID", payment.payer)),
            tag(
                "ram:PayeePartyCreditorFinancialAccount",
                tag("ram:IBANID", payment.iban),
                tag("ram:AccountName", payment.holder),
            ),
            tag(
                "ram:PayeeSpecifiedCreditorFinancialInstitution",
                tag("ram:BICID", payment.bic),
            ),
        )
    for place, row in enumerate(invoice.taxes):
        tax_point = "" if place else invoice.tax_point  # it may be there once
        yield tag(
            "ram:ApplicableTradeTax",
            tag("ram:CalculatedAmount", row.vat),
            tag("ram:TypeCode", "VAT"),
            tag("ram:ExemptionReason", row.reason),
            tag("ram:BasisAmount", row.net),
            tag("ram:CategoryCode", row.category),
            tag("ram:ExemptionReasonCode", row.reason_code),
            _day("ram:TaxPointDate", tax_point, "udt:DateString"),
            tag("ram:RateApplicablePercent", row.rate),
        )
    yield _period(invoice.start, invoice.end)
    yield from map(_allowance, invoice.allowances)
    yield tag(
        "ram:SpecifiedTradePaymentTerms",
        tag("ram:Description", invoice.terms),
        _day("ram:DueDateDateTime", invoice.due_date),
        tag("ram:DirectDebitMandateID", payment.mandate) if payment else None,
    )
    yield tag("ram:SpecifiedTradeSettlementHeaderMonetarySummation", *_total(invoice))
    if invoice.original:
        number, date = invoice.original
        yield tag(
            "ram:InvoiceReferencedDocument",
            tag("ram:IssuerAssignedID", number),
            _day("ram:FormattedIssueDateTime", date, "qdt:DateTimeString"),
        )


def _allowance(row: Allowance) -> Element | None:
    return tag(
        "ram:SpecifiedTradeAllowanceCharge",
        tag("ram:ChargeIndicator", tag("udt:Indicator", "false")),
        tag("ram:ActualAmount", row.net),
        tag("ram:ReasonCode", einvoice.DISCOUNT),
        tag("ram:Reason", row.reason),
        tag(
            "ram:CategoryTradeTax",
            tag("ram:TypeCode", "VAT"),
            tag("ram:CategoryCode", row.category),
            tag("ram:RateApplicablePercent", row.rate),
        ),
    )


def _total(invoice: EInvoice) -> Iterator[Element | None]:
    yield tag("ram:LineTotalAmount", invoice.items_net)
    yield tag("ram:AllowanceTotalAmount", invoice.allowed)
    yield tag("ram:TaxBasisTotalAmount", invoice.net)
    yield tag("ram:TaxTotalAmount", invoice.vat, currencyID=invoice.currency)
    yield tag("ram:TaxTotalAmount", invoice.tax_total, currencyID=invoice.tax_currency)
    yield tag("ram:RoundingAmount", invoice.rounding)
    yield tag("ram:GrandTotalAmount", invoice.gross)
    yield tag("ram:TotalPrepaidAmount", invoice.paid)
    yield tag("ram:DuePayableAmount", invoice.due)
