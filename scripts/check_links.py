#!/usr/bin/env python3
"""Every link of a static site that stays on the disk: the file is there, and so is the place in it.
usage: check_links.py SITE"""
import html.parser
import pathlib
import sys
import urllib.parse

site = pathlib.Path(sys.argv[1]).resolve()


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.places, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.places |= {values[k] for k in ("id", "name") if values.get(k)}
        self.links += [values[k] for k in ("href", "src") if values.get(k)]


pages = {p: Page(p.read_text(encoding="utf-8")) for p in sorted(site.rglob("*.html"))}
wrong, local = [], 0
for path, page in pages.items():
    for link in page.links:
        parts = urllib.parse.urlsplit(link)
        if parts.scheme in ("http", "https", "mailto", "data", "javascript") or (parts.netloc and not parts.scheme):
            continue
        local += 1
        target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
        if not target.is_relative_to(site) or not target.is_file():
            wrong.append(f"{path.relative_to(site)}: {link} is not there")
        elif parts.fragment and target in pages and urllib.parse.unquote(parts.fragment) not in pages[target].places:
            wrong.append(f"{path.relative_to(site)}: {link} names no place in that page")
print("\n".join(sorted(set(wrong))[:50]) or f"{len(pages)} pages, {local} links: none is broken")
sys.exit(bool(wrong) or local == 0)
