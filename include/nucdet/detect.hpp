#pragma once
/// Detection with a network of nucdet/nets.hpp or of one's own: images in, nuclei out.
#include "nucdet/core/transfer.hpp"
#include "nucdet/data/he_look.hpp"
#include "nucdet/data/image.hpp"
#include "nucdet/data/normalization.hpp"
#include "nucdet/data/resample.hpp"
#include "nucdet/detect/component_centroids.hpp"
#include "nucdet/detect/detector.hpp"
#include "nucdet/detect/local_maxima.hpp"
#include "nucdet/detect/nucleus_map.hpp"
#include "nucdet/detect/peak_finder.hpp"
#include "nucdet/detect/smooth.hpp"
#include "nucdet/detect/tile_grid.hpp"
