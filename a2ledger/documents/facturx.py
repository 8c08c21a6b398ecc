"""Factur-X: the metadata that a PDF/A-3 needs beside the e-invoice embedded in it.

The PDF names the file, what it is and how much it says, in metadata of a schema that PDF/A wants
described where it is used.
"""

from __future__ import annotations

NAME = "factur-x.xml"
"""File name of the embedded e-invoice."""
DESCRIPTION = "Electronic invoice, Factur-X profile EN 16931"

_SCHEMA = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PROPERTIES = {
    "DocumentFileName": ("The name of the embedded XML document", NAME),
    "DocumentType": ("The type of the hybrid document in capital letters", "INVOICE"),
    "Version": ("The version of the Factur-X specification", "1.0"),
    "ConformanceLevel": ("The profile of the embedded XML document", "EN 16931"),
}
_DESCRIBED = "".join(
    f"""<rdf:li rdf:parseType="Resource">
<pdfaProperty:name>{name}</pdfaProperty:name>
<pdfaProperty:valueType>Text</pdfaProperty:valueType>
<pdfaProperty:category>external</pdfaProperty:category>
<pdfaProperty:description>{description}</pdfaProperty:description>
</rdf:li>
"""
    for name, (description, _) in _PROPERTIES.items()
)
_VALUES = "".join(f"<fx:{name}>{value}</fx:{name}>\n" for name, (_, value) in _PROPERTIES.items())

METADATA = f"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:fx="{_SCHEMA}">
{_VALUES}</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas>
<rdf:Bag>
<rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>{_SCHEMA}</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>fx</pdfaSchema:prefix>
<pdfaSchema:property>
<rdf:Seq>
{_DESCRIBED}</rdf:Seq>
</pdfaSchema:property>
</rdf:li>
</rdf:Bag>
</pdfaExtension:schemas>
</rdf:Description>
</rdf:RDF>
"""
"""The XMP metadata of the PDF about the e-invoice in it."""
