"""E-invoices in UBL 2.1, the syntax of Peppol BIS Billing 3.0 and XRechnung.

The order of elements is that of the schema, and it differs between an invoice and a credit note.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from a2ledger.documents import einvoice
from a2ledger.documents.einvoice import Allowance, Attachment, EInvoice, Item, Party
from a2ledger.documents.markup import Element, tag, written

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_LOT = "C62"
"""UN/ECE Recommendation 20: one piece."""


def write(invoice: EInvoice) -> bytes:
    """Return the UBL ``Invoice`` or ``CreditNote`` of an e-invoice."""
    credit = invoice.kind == einvoice.CREDIT_NOTE
    name = "CreditNote" if credit else "Invoice"
    namespaces = {
        "xmlns": f"{_UBL}{name}-2",
        "xmlns:cac": f"{_UBL}CommonAggregateComponents-2",
        "xmlns:cbc": f"{_UBL}CommonBasicComponents-2",
    }
    process = "" if invoice.profile == einvoice.CORE else einvoice.PROCESS
    return written(
        name,
        namespaces,
        tag("cbc:CustomizationID", invoice.profile),
        tag("cbc:ProfileID", process),
        tag("cbc:ID", invoice.number),
        tag("cbc:IssueDate", invoice.issue_date),
        *(_kind_of_credit_note(invoice) if credit else _kind_of_invoice(invoice)),
        tag("cbc:DocumentCurrencyCode", invoice.currency),
        tag("cbc:TaxCurrencyCode", invoice.tax_currency),
        tag("cbc:BuyerReference", invoice.buyer_reference),
        tag(
            "cac:InvoicePeriod",
            tag("cbc:StartDate", invoice.start),
            tag("cbc:EndDate", invoice.end),
        ),
        tag("cac:OrderReference", tag("cbc:ID", invoice.order_reference)),
        _original(invoice),
        *map(_attachment, invoice.attachments),
        tag(
            "cac:AccountingSupplierParty",
            _party(invoice.seller, invoice.payment.creditor if invoice.payment else ""),
        ),
        tag("cac:AccountingCustomerParty", _party(invoice.buyer)),
        tag(
            "cac:Delivery",
            tag(
                "cac:DeliveryLocation",
                tag(
                    "cac:Address",
                    tag("cac:Country", tag("cbc:IdentificationCode", invoice.deliver_to)),
                ),
            ),
        ),
        _payment(invoice, due_date=invoice.due_date if credit else ""),
        tag("cac:PaymentTerms", tag("cbc:Note", invoice.terms)),
        *(_allowance(row, invoice.currency) for row in invoice.allowances),
        *_tax_totals(invoice),
        _total(invoice),
        *(_line(item, invoice.currency, credit=credit) for item in invoice.items),
    )


def _kind_of_invoice(invoice: EInvoice) -> Iterator[Element | None]:
    yield tag("cbc:DueDate", invoice.due_date)
    yield tag("cbc:InvoiceTypeCode", invoice.kind)
    yield tag("cbc:Note", invoice.note)
    yield tag("cbc:TaxPointDate", invoice.tax_point)


def _kind_of_credit_note(invoice: EInvoice) -> Iterator[Element | None]:
    yield tag("cbc:TaxPointDate", invoice.tax_point)
    yield tag("cbc:CreditNoteTypeCode", invoice.kind)
    yield tag("cbc:Note", invoice.note)


def _original(invoice: EInvoice) -> Element | None:
    if invoice.original is None:
        return None
    number, date = invoice.original
    return tag(
        "cac:BillingReference",
        tag(
            "cac:InvoiceDocumentReference",
            tag("cbc:ID", number),
            tag("cbc:IssueDate", date),
        ),
    )


def _attachment(file: Attachment) -> Element | None:
    content = base64.b64encode(file.content).decode()
    return tag(
        "cac:AdditionalDocumentReference",
        tag("cbc:ID", file.name),
        tag("cbc:DocumentDescription", file.description),
        tag(
            "cac:Attachment",
            tag(
                "cbc:EmbeddedDocumentBinaryObject",
                content,
                mimeCode=file.mime,
                filename=file.name,
            ),
        ),
    )


def _party(party: Party, creditor: str = "") -> Element | None:
    endpoint, registration = party.endpoint, party.registration
    return tag(
        "cac:Party",
        tag("cbc:EndpointID", endpoint.number, schemeID=endpoint.scheme) if endpoint else None,
        tag("cac:PartyIdentification", tag("cbc:ID", party.identifier)),
        tag("cac:PartyIdentification", tag("cbc:ID", creditor, schemeID="SEPA"))
        if creditor
        else None,
        tag("cac:PartyName", tag("cbc:Name", party.name)),
        _address(party),
        _tax_scheme(party.vat_id, "VAT"),
        _tax_scheme(party.tax_id, "TAX"),
        tag(
            "cac:PartyLegalEntity",
            tag("cbc:RegistrationName", party.name),
            tag("cbc:CompanyID", registration.number, schemeID=registration.scheme)
            if registration
            else None,
        ),
        tag(
            "cac:Contact",
            tag("cbc:Name", party.contact),
            tag("cbc:Telephone", party.phone),
            tag("cbc:ElectronicMail", party.email),
        ),
    )


def _address(party: Party) -> Element | None:
    return tag(
        "cac:PostalAddress",
        tag("cbc:StreetName", party.street),
        tag("cbc:AdditionalStreetName", party.street2),
        tag("cbc:CityName", party.city),
        tag("cbc:PostalZone", party.postcode),
        tag("cbc:CountrySubentity", party.region),
        tag("cac:AddressLine", tag("cbc:Line", party.street3)),
        tag("cac:Country", tag("cbc:IdentificationCode", party.country)),
    )


def _tax_scheme(number: str, scheme: str) -> Element | None:
    if not number:
        return None
    return tag(
        "cac:PartyTaxScheme",
        tag("cbc:CompanyID", number),
        tag("cac:TaxScheme", tag("cbc:ID", scheme)),
    )


def _payment(invoice: EInvoice, *, due_date: str) -> Element | None:
    payment = invoice.payment
    if payment is None:
        return None
    return tag(
        "cac:PaymentMeans",
        tag("cbc:PaymentMeansCode", payment.means),
        tag("cbc:PaymentDueDate", due_date),
        tag("cbc:PaymentID", payment.reference),
        tag(
            "cac:PayeeFinancialAccount",
            tag("cbc:ID", payment.iban),
            tag("cbc:Name", payment.holder),
            tag("cac:FinancialInstitutionBranch", tag("cbc:ID", payment.bic)),
        ),
        tag(
            "cac:PaymentMandate",
            tag("cbc:ID", payment.mandate),
            tag("cac:PayerFinancialAccount", tag("cbc:ID", payment.payer)),
        ),
    )


def _amount(name: str, amount: str, currency: str) -> Element | None:
    return tag(name, amount, currencyID=currency)


def _allowance(row: Allowance, currency: str) -> Element | None:
    return tag(
        "cac:AllowanceCharge",
        tag("cbc:ChargeIndicator", "false"),
        tag("cbc:AllowanceChargeReasonCode", einvoice.DISCOUNT),
        tag("cbc:AllowanceChargeReason", row.reason),
        _amount("cbc:Amount", row.net, currency),
        tag(
            "cac:TaxCategory",
            tag("cbc:ID", row.category),
            tag("cbc:Percent", row.rate),
            tag("cac:TaxScheme", tag("cbc:ID", "VAT")),
        ),
    )


def _tax_totals(invoice: EInvoice) -> Iterator[Element | None]:
    currency = invoice.currency
    rows = (
        tag(
            "cac:TaxSubtotal",
            _amount("cbc:TaxableAmount", row.net, currency),
            _amount("cbc:TaxAmount", row.vat, currency),
            tag(
                "cac:TaxCategory",
                tag("cbc:ID", row.category),
                tag("cbc:Percent", row.rate),
                tag("cbc:TaxExemptionReasonCode", row.reason_code),
                tag("cbc:TaxExemptionReason", row.reason),
                tag("cac:TaxScheme", tag("cbc:ID", "VAT")),
            ),
        )
        for row in invoice.taxes
    )
    yield tag("cac:TaxTotal", _amount("cbc:TaxAmount", invoice.vat, currency), *rows)
    if invoice.tax_currency:
        total = _amount("cbc:TaxAmount", invoice.tax_total, invoice.tax_currency)
        yield tag("cac:TaxTotal", total)


def _total(invoice: EInvoice) -> Element | None:
    amounts = {
        "LineExtensionAmount": invoice.items_net,
        "TaxExclusiveAmount": invoice.net,
        "TaxInclusiveAmount": invoice.gross,
        "AllowanceTotalAmount": invoice.allowed,
        "PrepaidAmount": invoice.paid,
        "PayableRoundingAmount": invoice.rounding,
        "PayableAmount": invoice.due,
    }
    return tag(
        "cac:LegalMonetaryTotal",
        *(_amount(f"cbc:{name}", amount, invoice.currency) for name, amount in amounts.items()),
    )


def _line(item: Item, currency: str, *, credit: bool) -> Element | None:
    name, quantity = ("CreditNoteLine", "Credited") if credit else ("InvoiceLine", "Invoiced")
    return tag(
        f"cac:{name}",
        tag("cbc:ID", item.id),
        tag(f"cbc:{quantity}Quantity", item.quantity, unitCode=_LOT),
        _amount("cbc:LineExtensionAmount", item.net, currency),
        tag(
            "cac:InvoicePeriod",
            tag("cbc:StartDate", item.start),
            tag("cbc:EndDate", item.end),
        ),
        tag(
            "cac:Item",
            tag("cbc:Description", item.description),
            tag("cbc:Name", item.name),
            tag(
                "cac:ClassifiedTaxCategory",
                tag("cbc:ID", item.category),
                tag("cbc:Percent", item.rate),
                tag("cac:TaxScheme", tag("cbc:ID", "VAT")),
            ),
        ),
        tag("cac:Price", _amount("cbc:PriceAmount", item.price, currency)),
    )
