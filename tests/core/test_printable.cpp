#include "nucdet/core/printable.hpp"

#include "support/catch.hpp"

using namespace nucdet;

TEST_CASE("what a terminal obeys is made visible, what is read stays") {
  CHECK(printable("") == "");
  CHECK(printable("a b/c-1.png") == "a b/c-1.png");
  CHECK(printable("\x1b[31mred\x1b[0m") == "\\x1b[31mred\\x1b[0m");
  CHECK(printable("a\tb\nc\rd\x7f") == "a\\x09b\\x0ac\\x0dd\\x7f");
  CHECK(printable(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(printable("G\xc3\xb6ttingen \xe2\x82\xac \xf0\x9f\x94\xac") ==
        "G\xc3\xb6ttingen \xe2\x82\xac \xf0\x9f\x94\xac");
}

TEST_CASE("control characters beyond ASCII, and marks that turn the direction of writing") {
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\xc2\\x9b31m");
  CHECK(printable("a\xe2\x80\xae"
                  "gnp.b") == "a\\xe2\\x80\\xaegnp.b");
  CHECK(printable("\xe2\x81\xa6x\xe2\x80\xa8") == "\\xe2\\x81\\xa6x\\xe2\\x80\\xa8");
}

TEST_CASE("bytes that are no UTF-8") {
  CHECK(printable("\xff") == "\\xff");
  CHECK(printable("a\x80z") == "a\\x80z");
  CHECK(printable("\xc3") == "\\xc3");
  CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");  // too long for its number
  CHECK(printable("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // half a pair of UTF-16
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond Unicode
}

TEST_CASE("a message keeps the lines of its list, and no others") {
  CHECK(printable_message("a:\n  one\n  two") == "a:\n  one\n  two");
  CHECK(printable_message("a\nb\n c\n") == "a\\x0ab\\x0a c\\x0a");
}
