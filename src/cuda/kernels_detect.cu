// Peaks of response maps.
#include "nucdet/cuda/select.cuh"
#include "nucdet/detect/local_maxima.hpp"

template std::vector<nucdet::detect::Peak> nucdet::select<nucdet::detect::Peak, nucdet::detect::detail::IsPeak>(
    nucdet::Context<nucdet::Cuda>&, const nucdet::Shape&, const nucdet::detect::detail::IsPeak&);
