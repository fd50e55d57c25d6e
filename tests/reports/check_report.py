"""Reads a report the way other programs do and prints what it found as JSON.

check_report.py csv|html|latex FILE
"""

import csv
import html.parser
import json
import re
import sys

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


def check_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return {"rows": list(csv.DictReader(file, strict=True))}


class Page(html.parser.HTMLParser):
    """Collects what the tests ask for and complains about elements that do not nest."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.problems = []
        self.scripts = []
        self.links = []
        self.ids = []
        self.labels = []
        self.widths = []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name.startswith("on"):
                self.problems.append(f"event handler {name} on {tag}")
            if name in ("src", "href", "data", "action", "srcset"):
                self.links.append(value)
            if name == "id":
                self.ids.append(value)
        if tag == "tr":
            self.widths.append(0)
        if tag in ("td", "th") and self.widths:
            self.widths[-1] += 1
        if tag == "script":
            self.scripts.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"unexpected </{tag}> at {self.getpos()}")

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        if self.open[-2:] == ["th", "a"]:
            self.labels.append(data)


def check_html(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    page = Page()
    page.feed(text)
    page.close()
    page.problems += [f"<{tag}> is never closed" for tag in page.open]
    if len(set(page.ids)) != len(page.ids):
        page.problems.append("an id occurs twice")
    for fetch in re.findall(r"@import|url\(\s*['\"]?(?:https?:)?//|\bfetch\(|XMLHttpRequest|import\(", text):
        page.problems.append(f"may load something: {fetch}")
    charts = [json.loads(script) for script in page.scripts if script.lstrip().startswith("[")]
    return {"problems": page.problems, "links": page.links, "scripts": len(page.scripts),
            "labels": page.labels, "charts": charts[0] if charts else None,
            "result_widths": page.widths}


def check_latex(path):
    """Braces balance, nothing special is left unescaped, every row has the columns announced."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    problems = []
    plain = re.sub(r"(?m)^%.*$", "", text)
    fit = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    if plain.count(fit + "\n\\begin{tabular}") != 1:
        problems.append("the table is not fitted to the line")
    plain = plain.replace(fit, "{")
    plain = re.sub(r"\\[\\%&#$_{},]", lambda m: "\n" if m[0] == "\\\\" else "x", plain)
    if plain.count("{") != plain.count("}"):
        problems.append("braces do not balance")
    if plain.count("$") % 2:
        problems.append("a formula is not closed")
    outside_formulas = re.sub(r"\$[^$]*\$", "x", plain)
    for special in "#~^_%<>|\"":
        if special in outside_formulas:
            problems.append(f"{special} is not escaped")
    if not text.isascii():
        problems.append("a character outside ASCII")
    alignment = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)[1]
    body = outside_formulas.split("\\toprule")[1].split("\\bottomrule")[0].replace("\\midrule", "")
    rows = [row for row in body.split("\n") if row.strip()]
    widths = [row.count("&") + 1 for row in rows]
    if set(widths) != {len(alignment)}:
        problems.append(f"columns {widths}, announced {len(alignment)}")
    return {"problems": problems, "rows": len(rows)}


CHECKS = {"csv": check_csv, "html": check_html, "latex": check_latex}
print(json.dumps(CHECKS[sys.argv[1]](sys.argv[2])))
