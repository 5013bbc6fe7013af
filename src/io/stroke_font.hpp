#pragma once
#include <string_view>

namespace nucdet::io::detail {

/// The digits and the letters of the overlay's legend as polylines, so that they can be drawn at any size.
/// A stroke is a run of digit pairs xy on a grid: x from 0, y from 0 (top of h) through 2 (top of a) to 6 (baseline).
/// Strokes are separated by spaces; a single pair is a dot. Unknown characters are blank.
constexpr std::string_view strokes_of(char c) {
  switch (c) {
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
    case 'c':
      return "421203051646";
    case 'e':
      return "044443321203051646";
    case 'f':
      return "30201116 0232";
    case 'h':
      return "0006 0312324346";
    case 'i':
      return "0206 00";
    case 'l':
      return "0006";
    case 'm':
      return "0206 0312223336 3342526366";
    case 'n':
      return "0206 0312324346";
    case 'r':
      return "0206 031232";
    case 's':
      return "4212031434453606";
    case 't':
      return "10152636 0232";
    case 'u':
      return "0205163645 4246";
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
