#pragma once
#include <string>
#include <string_view>

/// Text in pages of HTML, and what such a page needs beside it.
namespace nucdet::program {

/// Text as it stands in an element or in quotes: what means something to HTML is escaped, what is no UTF-8 and control
/// characters are U+FFFD.
std::string html_text(std::string_view text);

/// A path relative to the page, as a link has it: bytes that mean something there as %XX.
std::string link_text(std::string_view path);

/// RFC 4648, for data URIs.
std::string base64(std::string_view bytes);

/// The page's looks, and what sorts and filters its table. The page is whole without the script.
extern const char* const kPageStyle;
extern const char* const kPageScript;

}  // namespace nucdet::program
