#pragma once
/// Everything for users, except files (nucdet/io/, nucdet/models/ and train/checkpoint.hpp; include those one by one).
/// nets.hpp, detect.hpp and train.hpp are its parts by use. Nothing in the library includes these four.
#include "nucdet/detect.hpp"
#include "nucdet/match/greedy.hpp"
#include "nucdet/match/hungarian.hpp"
#include "nucdet/match/matching.hpp"
#include "nucdet/match/ungated.hpp"
#include "nucdet/metrics/class_score.hpp"
#include "nucdet/metrics/curve.hpp"
#include "nucdet/metrics/score.hpp"
#include "nucdet/metrics/summary.hpp"
#include "nucdet/nets.hpp"
#include "nucdet/train.hpp"
#include "nucdet/version.hpp"
