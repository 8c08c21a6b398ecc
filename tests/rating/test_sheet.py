"""Carriers' rate sheets, in the layouts they come in."""

from __future__ import annotations

import datetime as dt

import pytest
from carriers_sheets import BELGIUM, ROWS, of_text, read, shown, workbook

LAYOUTS = {
    "plain": (
        "Code,Destination,Rate,Billing Increment,Effective Date\n"
        "32,Belgium,0.0570,60/60,2026-09-01\n3247,Belgium Mobile,0.3000,30/6,2026-09-15\n"
    ),
    "titles and footers": (
        "Nordic Carrier AB;;;;\nPrice list no. 12, valid from 1 September 2026;;;;\n;;;;\n"
        "Dial Code;Description;Price per minute (EUR);Interval;Valid from\n"
        "32;Belgium;0,0570;60/60;01.09.2026\n3247;Belgium Mobile;0,3000;30/6;15.09.2026\n"
        "All prices exclude VAT. Call +46 8 123 456 for help.;;;;\nTotal;;;;\n"
    ),
    "tabs and dollars": (
        "PREFIX\tNAME\tRATE (USD/min)\tMin\tInc\tEFFECTIVE\n"
        "+32\tBelgium\t$0.057\t60\t60\t09/01/2026\n"
        "+3247\tBelgium Mobile\t$0.30\t30\t6\t09/15/2026\n"
    ),
    "country and area code": (
        "Country,Country Code,Area Code,Rate,Increments,Start Date\n"
        "Belgium,32,,0.057,60/60,1-Sep-2026\nBelgium Mobile,32,47,0.30,30+6,15-Sep-2026\n"
    ),
    "German": (
        "Vorwahl;Ziel;Preis pro Minute;Taktung;Gültig ab\n"
        '0032;Belgium;"0,0570 €";60/60;01.09.2026\n003247;Belgium Mobile;"0,30 €";30/6;15.09.26\n'
    ),
    "French": (
        "Indicatif;Destination;Prix/min;Palier;Date d'effet\n"
        "32;Belgium;0,057;60/60;01/09/2026\n3247;Belgium Mobile;0,3;30/6;15/09/2026\n"
    ),
    "Spanish": (
        "Prefijo;Destino;Precio por minuto;Incremento;Vigencia\n"
        "32;Belgium;0,057;60-60;2026/09/01\n3247;Belgium Mobile;0,3;30-6;2026/09/15\n"
    ),
    "statuses and old prices": (
        "Destination|Dial Codes|Old Rate|New Rate|Change|Billing|Effective from\n"
        "Belgium|32|0.05|0.057|INCREASE|60/60|2026-09-01 00:00:00 UTC\n"
        "Belgium Mobile|3247||0.30|New|30/6|20260915\n"
    ),
    "cents": (
        "Prefix,Destination,Rate (cents/min),Increment,Effective\n"
        "32,Belgium,5.70,60/60,2026-09-01\n3247,Belgium Mobile,30,30/6,2026-09-15\n"
    ),
    "quoted as by Excel": (
        "sep=;\nPrefix;Destination;Rate;Increment;Effective\n"
        '"=""32""";Belgium;0,057;60/60;46266\n"=""3247""";Belgium Mobile;0,3;30/6;46280\n'
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_layout_is_understood(tmp_path, layout, encoding):
    assert shown(of_text(tmp_path, LAYOUTS[layout], encoding)) == BELGIUM


def test_latin_1_is_understood(tmp_path):
    found = of_text(tmp_path, LAYOUTS["German"].replace("Belgium;", "Königreich;"), "cp1252")
    assert [rate.destination for rate in found.rates] == ["Königreich", "Belgium Mobile"]


def test_every_row_is_counted(tmp_path):
    found = of_text(tmp_path, LAYOUTS["titles and footers"])
    assert (found.rows, found.texts, len(found.rates)) == (7, 5, 2)


def test_a_workbook_is_understood(tmp_path):
    path = workbook(tmp_path / "a.xlsx", ROWS, Notes=[["Call us"]])
    assert shown(read(path)) == BELGIUM


@pytest.mark.parametrize(
    ("cell", "prefixes"),
    [
        ("44 7400-7402", ["447400", "447401", "447402"]),
        ("447, 448", ["447", "448"]),
        ("447;448/449", ["447", "448", "449"]),
        ("1 242", ["1242"]),
        ("1-242", ["1242"]),
        ("44 20, 44 7400-01", ["4420", "447400", "447401"]),
        ("+44 (20)", ["4420"]),
        ("7400-02", ["7400", "7401", "7402"]),
        ("44.0", ["44"]),
        ("00 32 475", ["32475"]),
        ("+ 32 475", ["32475"]),
    ],
)
def test_lists_and_ranges_in_a_cell(tmp_path, cell, prefixes):
    found = of_text(tmp_path, f'Prefix,Rate\n"{cell}",0.1\n')
    assert found.problems == []
    assert [rate.prefix for rate in found.rates] == prefixes


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("4.47E+11,0.1,", "'4.47E+11' is a number a spreadsheet has shortened"),
        ('"4,47E+11",0.1,', "has shortened"),
        ("447 448,0.1,", "is not a prefix; put commas between several"),
        ("32 33,0.1,", "may be one prefix or several"),
        ('"44 7400, 7500",0.1,', "whether '7500' follows 44 is unclear"),
        ("44a,0.1,", "'44a' is not digits, a list or a range"),
        ("44,-0.5,", "is negative; -1 alone says that calls are refused"),
        ("44,,", "there is no price"),
        ("44,free1,", "'free1' is not a price"),
        ("44,0.1,01/02/2026", "may begin with the day or with the month; say which with --dates"),
        ("44,0.1,31/02/2026", "is not a date such as"),
        ("33,0.2,", "prefix 33 has another price from the same day on, on line 2"),
    ],
)
def test_what_may_be_read_in_two_ways_is_refused_with_its_line(tmp_path, row, says):
    found = of_text(tmp_path, f"Prefix,Rate,Effective\n33,0.1,\n{row}\n")
    assert [problem.line for problem in found.problems] == [3]
    assert says in found.problems[0].message


def test_prices_written_in_two_ways_are_refused(tmp_path):
    found = of_text(tmp_path, "Prefix;Rate\n33;0,1\n34;0.2\n")
    assert "decimal commas and decimal points" in found.problems[0].message


def test_prices_in_two_currencies_are_refused(tmp_path):
    found = of_text(tmp_path, "Prefix;Rate\n33;0.1 EUR\n34;0.2 USD\n")
    assert "prices are in EUR, USD" in found.problems[0].message


def test_a_dated_file_is_read_as_it_is_said(tmp_path):
    text = "Prefix,Rate,Effective\n33,0.1,01/02/2026\n"
    days = [
        of_text(tmp_path, text, dates=dates).rates[0].since.date() for dates in ("day", "month")
    ]
    assert days == [dt.date(2026, 2, 1), dt.date(2026, 1, 2)]


def test_columns_are_named_by_a_person(tmp_path):
    text = "A,B,C,D\n32,x,0.05,0.07\n"
    nothing = of_text(tmp_path, text)
    assert "the columns seem to be A, B, C, D; say which with --map" in nothing.problems[0].message
    found = of_text(tmp_path, text, columns={"prefix": "a", "rate": "D", "destination": "B"})
    assert shown(found) == [("32", "x", "0.07", None, None, None)]
    assert found.notes == ["columns not read: C"]
    missing = of_text(tmp_path, text, columns={"prefix": "A", "rate": "Price"})
    assert "no column Price" in missing.problems[0].message


def test_what_a_carrier_does_not_carry_is_blocked_or_gone(tmp_path):
    text = (
        "Prefix,Rate,Status\n32,-1,\n33,0.1,BLOCKED\n34,,Delete\n35,0.1,Odd word\n33,0.1,BLOCKED\n"
    )
    found = of_text(tmp_path, text)
    assert found.problems == []
    assert [(rate.prefix, rate.status) for rate in found.rates] == [
        *(("32", "blocked"), ("33", "blocked"), ("34", "gone"), ("35", ""))
    ]
    assert found.twice == 1
    assert found.doubts == ["1 row(s) of the status 'Odd word', taken as prices"]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *[(word, "dearer") for word in ("Erhöhung", "Hausse", "Aumento", "Subida", "Verhoging")],
        *[(word, "cheaper") for word in ("Senkung", "Baisse", "Redução", "Bajada", "Riduzione")],
        *[(word, "same") for word in ("unverändert", "Sin cambios", "Ongewijzigd", "No Change")],
        *[(word, "gone") for word in ("entfällt", "Supprimé", "Eliminado", "Verwijderd")],
        *[(word, "blocked") for word in ("gesperrt", "Bloqueado", "Bloccato", "BLOCKED (fraud)")],
        ("Baja", ""),  # a lower price to some, a prefix that is gone to others
    ],
)
def test_a_status_is_known_in_several_languages(tmp_path, word, status):
    found = of_text(tmp_path, f"Prefix;Rate;Status\n32;0,1;{word}\n")
    assert [rate.status for rate in found.rates] == [status]
    assert bool(found.doubts) == (not status)


def test_columns_that_say_yes_or_no_block_and_end(tmp_path):
    """As Porta's sheets have them, with a price for the first interval and for the next ones."""
    head = "Code,Interval 1,Interval N,Price 1,Price N,Forbidden,Discontinued,Effective From\n"
    found = of_text(
        tmp_path,
        head + "32,60,6,0.057,0.057,N,N,2026-04-01\n53,60,60,0.9,0.9,Y,N,\n54,1,1,,,N,Y,\n",
    )
    assert found.problems == []
    assert [(rate.prefix, rate.status) for rate in found.rates] == [
        *(("32", ""), ("53", "blocked"), ("54", "gone"))
    ]
    differing = of_text(tmp_path, head + "32,60,6,0.1,0.05,N,N,\n")
    assert "a sheet has one price" in differing.problems[0].message


def test_dates_that_are_not_read_are_a_doubt(tmp_path):
    """They may be the days from which prices hold, under a header nobody knows."""
    found = of_text(tmp_path, "Prefix,Rate,Kick-off\n32,0.1,2026-04-01\n33,0.1,2026-04-15\n")
    assert len(found.doubts) == 1
    assert "--map 'effective=Kick-off'" in found.doubts[0]
    assert of_text(tmp_path, "Prefix,Rate,Zone\n32,0.1,EU\n").doubts == []


def test_whether_national_prefixes_follow_a_country_code_is_decided_once(tmp_path):
    whole = "Country Code,Prefix,Rate\n355,355,0.1\n355,35566,0.2\n1809,1829,0.3\n355,3556,0.1\n"
    assert [rate.prefix for rate in of_text(tmp_path, whole).rates] == [
        "355",
        "35566",
        "1829",
        "3556",
    ]
    apart = "Country Code,Prefix,Rate\n44,20,0.1\n44,7400,0.2\n32,2,0.3\n32,47,0.1\n"
    assert [rate.prefix for rate in of_text(tmp_path, apart).rates] == [
        "4420",
        "447400",
        "322",
        "3247",
    ]
    unclear = "Country Code,Prefix,Rate\n44,20,0.1\n44,447,0.2\n"
    assert "say which column is which" in of_text(tmp_path, unclear).problems[0].message


def test_prices_are_exact_to_eight_decimals(tmp_path):
    found = of_text(tmp_path, "Prefix,Rate\n1,0.123456785\n2,1E-05\n3,0.00000001\n")
    assert [rate.price for rate in found.rates] == [12_345_679, 1_000, 1]
    assert found.notes == ["1 price(s) rounded to eight decimals"]


@pytest.mark.parametrize(
    "cell", ["1er avril 2026", "1 de abril de 2026", "1º aprile 2026", "1. April 2026", "01-avr-26"]
)
def test_a_day_is_known_by_the_name_of_its_month(tmp_path, cell):
    found = of_text(tmp_path, f"Prefix;Rate;Effective\n32;0,1;{cell}\n")
    assert shown(found) == [("32", "", "0.1", None, None, "2026-04-01")]


def test_blocks_that_are_written_three_times(tmp_path):
    found = of_text(tmp_path, "Prefix,Rate,Rounding rules\n32,0.1,60/60/60\n")
    assert shown(found) == [("32", "", "0.1", 60, 60, None)]
    unclear = of_text(tmp_path, "Prefix,Rate,Rounding rules\n32,0.1,60/30/6\n")
    assert "is not an increment such as 60/60" in unclear.problems[0].message


OFF_PEAK = "Prefix,Peak Rate,Off-Peak Rate,Weekend\n32,0.02,{0},{0}\n33,0.01,0.01,\n"


def test_prices_for_other_times_of_day_are_refused_by_name_unless_they_are_the_same(tmp_path):
    assert of_text(tmp_path, OFF_PEAK.format("0.02")).problems == []
    found = of_text(tmp_path, OFF_PEAK.format("0.005"))
    assert [problem.line for problem in found.problems] == [2, 2]
    assert (
        "'Off-Peak Rate' has other prices than 'Peak Rate' in 1 row(s)" in found.problems[0].message
    )
    assert "'Weekend' has other prices" in found.problems[1].message
    assert "starttime and endtime" in found.problems[0].todo
    taken = of_text(tmp_path, OFF_PEAK.format("0.005"), columns={"rate": "Peak Rate"})
    assert [(rate.prefix, rate.price) for rate in taken.rates] == [
        ("32", 2_000_000),
        ("33", 1_000_000),
    ]


def test_a_header_of_two_rows_says_what_time_its_prices_are_for(tmp_path):
    rows = [
        ["Destination", "Prefix", "Rate", None, "Hours at weekends"],
        [None, None, "Peak", "Off-Peak", None],
        ["Belgium", 32, 0.02, 0.01, "Sat 00:00 to Sun 24:00"],
    ]
    found = read(workbook(tmp_path / "a.xlsx", rows))
    assert ["'Off-Peak' has other prices" in problem.message for problem in found.problems] == [
        True
    ]
    rows[2][3] = 0.02
    assert shown(read(workbook(tmp_path / "a.xlsx", rows))) == [
        ("32", "Belgium", "0.02", None, None, None)
    ]
