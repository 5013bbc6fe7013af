#include "page_text.hpp"

#include <cstdint>

#include "nucdet/core/utf8.hpp"

namespace nucdet::program {

std::string html_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view one = text.substr(0, length == 0 ? 1 : length);
    const bool control = length == 1 && (static_cast<unsigned char>(one[0]) < 0x20 || one[0] == 0x7f);
    if (length == 0 || (control && one[0] != '\n'))
      out += "\xef\xbf\xbd";
    else if (one == "&")
      out += "&amp;";
    else if (one == "<")
      out += "&lt;";
    else if (one == ">")
      out += "&gt;";
    else if (one == "\"")
      out += "&quot;";
    else if (one == "'")
      out += "&#39;";
    else
      out += one;
    text.remove_prefix(one.size());
  }
  return out;
}

std::string link_text(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%', out += "0123456789ABCDEF"[byte >> 4], out += "0123456789ABCDEF"[byte & 15];
  }
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i) out += i <= group.size() ? kDigits[(bits >> (18 - 6 * i)) & 63] : '=';
  }
  return out;
}

const char* const kPageStyle = R"css(
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5b6575; --line: #dde2ea; --paper: #fff; --band: #f5f7fa;
  --accent: #5b3a8c; --bar: #d9cdee; --bad: #a32020; --bad-paper: #fdf0f0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa5b6; --line: #333b48; --paper: #14181f;
  --band: #1b212b; --accent: #c3a8f0; --bar: #43345f; --bad: #ff9b9b; --bad-paper: #311c20; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem clamp(1rem, 4vw, 3rem); background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { margin: 0; font-size: 1.6rem; font-weight: 650; letter-spacing: -.01em; }
.about { margin: .25rem 0 1.5rem; color: var(--soft); }
dl { display: flex; flex-wrap: wrap; gap: .75rem; margin: 0 0 1.75rem; }
dl div { min-width: 8rem; padding: .7rem 1rem; border: 1px solid var(--line); border-radius: .6rem; background: var(--band); }
dt { color: var(--soft); font-size: .8rem; }
dd { margin: 0; font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums; }
dl div.bad { border-color: var(--bad); background: var(--bad-paper); } dl div.bad dd { color: var(--bad); }
.find { display: flex; align-items: center; gap: .75rem; margin-bottom: .75rem; }
.find[hidden] { display: none; }
.find input { width: min(24rem, 60vw); padding: .45rem .7rem; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--paper); color: inherit; font: inherit; }
.find output { color: var(--soft); }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .5rem .75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: middle; }
thead th { position: sticky; top: 0; z-index: 1; background: var(--paper); color: var(--soft); font-size: .8rem;
  font-weight: 600; white-space: nowrap; box-shadow: inset 0 -1px var(--line); }
thead button { padding: 0; border: 0; background: none; color: inherit; font: inherit; cursor: pointer; }
thead button:hover { color: var(--accent); }
thead button::after { content: "\2195"; padding-left: .35em; opacity: .35; }
th[aria-sort=ascending] button::after { content: "\2191"; opacity: 1; }
th[aria-sort=descending] button::after { content: "\2193"; opacity: 1; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
tbody tr:hover { background: var(--band); }
tbody th { max-width: 26rem; font-weight: 600; overflow-wrap: anywhere; }
tbody th small { display: block; color: var(--soft); font-weight: 400; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.picture { width: 1%; } .picture img { display: block; border-radius: .4rem; background: var(--band); }
.bar { display: block; height: 4px; margin-top: 4px; border-radius: 2px; background: var(--bar); margin-left: auto; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
tr.failed th { color: var(--bad); } .error { color: var(--bad); font-size: .85rem; overflow-wrap: anywhere; }
tr[hidden] { display: none; }
@media print { .find { display: none; } thead th { position: static; } body { padding: 0; } tr { break-inside: avoid; } }
)css";

const char* const kPageScript = R"js(
"use strict";
(() => {
  const table = document.querySelector("table"), body = table.tBodies[0], rows = [...body.rows];
  const words = new Intl.Collator(undefined, { numeric: true });
  const value = (row, column) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
  const sort = (head, column) => {
    const rising = head.getAttribute("aria-sort") === "ascending" ? false
      : head.getAttribute("aria-sort") === "descending" ? true : !head.classList.contains("n");
    const numbers = head.classList.contains("n");
    const sorted = rows.slice().sort((a, b) => {
      const x = value(a, column), y = value(b, column);
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = numbers ? x - y : words.compare(x, y);
      return rising ? order : -order;
    });
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    body.append(...sorted);
  };
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (head.classList.contains("picture")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(head, column));
    head.replaceChildren(button);
  });
  const find = document.querySelector(".find"), input = find.querySelector("input"), count = find.querySelector("output");
  const filter = () => {
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !wanted.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = shown === rows.length ? "" : shown + " of " + rows.length + " images";
  };
  input.addEventListener("input", filter);
  find.hidden = false;
  filter();
  document.documentElement.dataset.ready = "yes";
})();
)js";

}  // namespace nucdet::program
