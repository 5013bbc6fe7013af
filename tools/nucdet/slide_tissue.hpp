#pragma once
#include <string>

#include "nucdet/models/pixel_size.hpp"
#include "nucdet/slide/tissue.hpp"

namespace nucdet::program {

struct SlideTissueOptions {
  std::string slide;
  std::string out;                    ///< the overview, a PNG; empty: none
  std::string mask_out;               ///< the mask, a PNG of 0 and 255, a pixel a cell; empty: none
  std::string mask;                   ///< a picture whose tissue is taken; empty: it is found
  std::string areas;                  ///< annotations with regions and ignored areas, whose tissue is taken
  models::AskedPixelSize pixel_size;  ///< instead of the slide's
  slide::TissueOptions tissue;
  Index longest = 2000;  ///< pixels of the overview's longer side, at most
  bool overwrite = false, json = false;
};
/// Where a slide has tissue: its area and share on the standard output, an overview with its outline, the mask.
int slide_tissue(const SlideTissueOptions&);

}  // namespace nucdet::program
