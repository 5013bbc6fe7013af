#pragma once
#include <string_view>

#include "nucdet/core/ascii.hpp"

namespace nucdet::io::detail {

/// The characters of the overlay's legend as polylines, so that they can be drawn at any size.
/// A stroke is a run of digit pairs xy on a grid: x from 0, y from 0 (top of h) through 2 (top of a) to 6 (baseline) to
/// 8 (bottom of g). Strokes are separated by spaces; a single pair is a dot. Capitals are drawn as small letters;
/// unknown characters are blank.
constexpr std::string_view strokes_of(char c) {
  switch (small_letter(c)) {
    case '0':
      return "103041453616050110";
    case '1':
      return "022026 0646";
    case '2':
      return "01103041420646";
    case '3':
      return "0110304142334445361605 1333";
    case '4':
      return "36300444";
    case '5':
      return "400002324345361605";
    case '6':
      return "4130100105163645443303";
    case '7':
      return "004016";
    case '8':
      return "103041423313020110 3344453616050413";
    case '9':
      return "0516364541301001021343";
    case 'a':
      return "4332120305163645 4246";
    case 'b':
      return "0006 0312324345361605";
    case 'c':
      return "421203051646";
    case 'd':
      return "4046 4332120305163645";
    case 'e':
      return "044443321203051646";
    case 'f':
      return "30201116 0232";
    case 'g':
      return "4332120305163645 4247381807";
    case 'h':
      return "0006 0312324346";
    case 'i':
      return "0206 00";
    case 'j':
      return "121708 10";
    case 'k':
      return "0006 4204 1346";
    case 'l':
      return "0006";
    case 'm':
      return "0206 0312223336 3342526366";
    case 'n':
      return "0206 0312324346";
    case 'o':
      return "123243453616050312";
    case 'p':
      return "0208 0312324345361605";
    case 'q':
      return "4248 4332120305163645";
    case 'r':
      return "0206 031232";
    case 's':
      return "4212031434453606";
    case 't':
      return "10152636 0232";
    case 'u':
      return "0205163645 4246";
    case '(':
      return "10010516";
    case ')':
      return "00111506";
    case '+':
      return "0444 2226";
    case '-':
      return "0434";
    case '.':
      return "06";
    case '/':
      return "0630";
    case ':':
      return "02 05";
    case '_':
      return "0646";
    case 'v':
      return "022642";
    case 'w':
      return "0216325662";
    case 'x':
      return "0246 0642";
    case 'y':
      return "0226 4218";
    case 'z':
      return "02420646";
    default:
      return "";
  }
}

/// Width of a character on the grid, without the gap to the next.
constexpr int stroke_width_of(char c) {
  int width = 0;
  bool is_x = true;
  for (const char digit : strokes_of(c)) {
    if (digit == ' ') continue;
    if (is_x && digit - '0' > width) width = digit - '0';
    is_x = !is_x;
  }
  return c == ' ' ? 2 : width;
}

}  // namespace nucdet::io::detail
