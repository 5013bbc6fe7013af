find_package(Threads REQUIRED)
# Not Eigen 5: the headers call Eigen's serial product by a name that is no part of its interface (cpu/gemm_eigen.hpp).
find_package(Eigen3 3.4 REQUIRED)
find_package(xtensor 0.24 QUIET)  # 0.x releases accept only their own minor version
if(NOT xtensor_FOUND)
  find_package(xtensor REQUIRED)
endif()
