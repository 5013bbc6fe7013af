#pragma once
#include <functional>
#include <string>
#include <vector>

#include "study.hpp"

/// Networks beside each other: the paper's Table 1, and that at equal cost.
namespace nucdet::program::studies {

/// The paper's networks, and ours, at a width in proportion to MicroNet's, which comes first; those that are asked for.
std::vector<Contestant> contestants(const Study& study);

/// Of widths in ascending order, the one whose cost is nearest to what is wanted, by ratio. Cost grows with the width:
/// none is asked beyond the first that costs more. Throws ArgumentError, naming `who`, if that is not within the
/// tolerance, a share of what is wanted.
int width_of_cost(const std::string& who, const std::vector<int>& widths, const std::function<double(int)>& cost,
                  double wanted, double tolerance = 0.25);

/// The contestant at the built-in width at which a forward pass costs about that many GFLOP (512 x 512 pixels).
Contestant at_cost(Laboratory& laboratory, Contestant who, double gflop);

/// FILE.csv, in the text too: means over organs of each network, at the threshold of its validation images, and what
/// it costs.
void report_league(Study& study, const std::string& file, const std::vector<Contestant>& who,
                   const std::vector<Judged>& judged);
/// FILE.csv: a line an organ and seed.
void report_results(Study& study, const std::string& file, const std::vector<std::vector<Judged>>& data_sets);
/// The first network against each of the others, by `compared` or `compared_models`.
void report_against_first(Study& study, const std::string& file, const std::vector<Judged>& judged,
                          Comparison (*compare)(const std::string&, const Judged&, const Judged&));
/// F1 over the threshold on the validation images, which choose it (thresholds.csv), and on the test images, which
/// choose nothing (FILE.csv); all organs together, first seed, and a picture of each.
void report_thresholds(Study& study, const std::vector<Judged>& judged);

}  // namespace nucdet::program::studies
