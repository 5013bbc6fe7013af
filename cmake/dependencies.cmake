# Eigen's version file of 3.4.0 knows no ranges, Eigen 5 does not answer to "3.4": ask for what is there, newest first.
find_package(Threads REQUIRED)
find_package(Eigen3 5 QUIET)
if(NOT Eigen3_FOUND)
  find_package(Eigen3 3.4 REQUIRED)
endif()
find_package(xtensor 0.24 QUIET)  # 0.x releases accept only their own minor version
if(NOT xtensor_FOUND)
  find_package(xtensor REQUIRED)
endif()
