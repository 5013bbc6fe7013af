/**
 * nucdet.h: nuclei in H&E microscopy images, for C and for every language that calls C (libnucdet.so; C99).
 *
 * Numbers: the same bits as the C++ library gives for the same pixels and settings, and as `nucdet detect`, for
 * whatever instruction set that is compiled.
 *
 * Errors: a function that can fail returns NUCDET_OK or another status, and leaves its results as they were;
 * nucdet_last_error() has the text. Nothing is printed, nothing ends the process, no exception comes out. A null
 * pointer where an object is wanted is NUCDET_BAD_ARGUMENT.
 *
 * Ownership: what a function gives through a `nucdet_...** result` is the caller's, to be freed by the function of its
 * name (which takes null). Every other pointer that is returned belongs to the object it was asked of, or to the
 * library. What is handed in is only read, and not kept after the call.
 *
 * Threads: objects do not change once they are made. Any number of threads may use the same object at the same time;
 * it is freed when none does.
 *
 * Growth: the structs that are handed in begin with their size: `nucdet_image image = {.size = sizeof(nucdet_image)};`.
 * Everything else may be 0, which is the default. A later library takes what an earlier caller knows; an earlier
 * library refuses settings that it does not know, unless they are 0. Structs that are filled in by the library never
 * change.
 *
 * Positions are pixels: x to the right, y down, (0, 0) the centre of the top left pixel. Text is UTF-8.
 */
#ifndef NUCDET_H
#define NUCDET_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define NUCDET_API __attribute__((visibility("default")))
#else
#define NUCDET_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

typedef int32_t nucdet_status;
enum {
  NUCDET_OK = 0,
  NUCDET_BAD_ARGUMENT = 1, /**< a setting out of its range, a null pointer, values that are not finite */
  NUCDET_BAD_SHAPE = 2,    /**< sizes, channels or strides that no image has or the network does not take */
  NUCDET_BAD_FILE = 3,     /**< missing, truncated, malformed, or not what it should be; also weights in memory */
  NUCDET_BAD_NUMBER = 4,   /**< a response that is not finite */
  NUCDET_GPU_FAILED = 5,   /**< there is no such GPU, or it failed */
  NUCDET_CANCELLED = 6,    /**< a progress function asked for it */
  NUCDET_NO_MEMORY = 7,
  NUCDET_FAILED = 8 /**< anything else */
};

/** "bad argument": a name for each status, also for one that is none. */
NUCDET_API const char* nucdet_status_name(nucdet_status status);
/** What went wrong in the last call of this thread that failed: where, what was found, what was wanted. Empty if none
 * has. It lies in the thread's own memory and lasts until its next call that fails. */
NUCDET_API const char* nucdet_last_error(void);

/* ---- What there is ----------------------------------------------------------------------------------------------- */

/** "0.1.0": of the library that runs. */
NUCDET_API const char* nucdet_version(void);
/** The processor's kernels that are used: "portable", "avx2" or "avx512". */
NUCDET_API const char* nucdet_instruction_set(void);
/** The version of OpenSlide, which reads scanners' slides; null where there is none. */
NUCDET_API const char* nucdet_openslide_version(void);
/** How many GPUs can be used; 0 where the library was built without CUDA. */
NUCDET_API int32_t nucdet_cuda_devices(void);

/* ---- Detectors --------------------------------------------------------------------------------------------------- */

/** A network with its weights, normalisation and thresholds. */
typedef struct nucdet_detector nucdet_detector;

typedef struct nucdet_detector_options {
  size_t size;             /**< sizeof(nucdet_detector_options) */
  const char* device;      /**< "auto" (or null: a GPU that can be used, else the processor), "cpu", "cuda", "cuda:N" */
  const char* precision;   /**< of a GPU: "fp32" (or null), "tf32", "bf16", "fp16" */
  const double* threshold; /**< the least score of a nucleus, from 0 on; null: as the weights say */
  const double* xi; /**< the least score as a fraction of the image's highest, in [0, 1]; null: as the weights say */
  int32_t threads;  /**< that one call computes with; 0: as many as the process may use. They change no bit. */
  int32_t exact;    /**< not 0: plain sums, the same bits for any tile, slower */
  int32_t tile;     /**< reference pixels (of 0.25 um) along a tile's core; 0: what fits the network */
  int32_t average;  /**< 8: the mean of eight turned and mirrored looks; 0 or 1: one look */
} nucdet_detector_options;

/** A detector with the weights of a file, as `nucdet train` writes them. options: null for the defaults. */
NUCDET_API nucdet_status nucdet_detector_open(const char* path, const nucdet_detector_options* options,
                                              nucdet_detector** result);
/** The same of a file's content in memory. The bytes are not needed after the call. */
NUCDET_API nucdet_status nucdet_detector_from_memory(const void* weights, size_t bytes,
                                                     const nucdet_detector_options* options, nucdet_detector** result);
NUCDET_API void nucdet_detector_free(nucdet_detector* detector);

/** How many classes of nuclei it tells apart; 0: none, it only finds them. */
NUCDET_API int32_t nucdet_detector_class_count(const nucdet_detector* detector);
/** The name of a class from 0; null for a number that is none. */
NUCDET_API const char* nucdet_detector_class_name(const nucdet_detector* detector, int32_t class_id);
/** Where it computes: "cpu" or "cuda:N"; null for null. */
NUCDET_API const char* nucdet_detector_device(const nucdet_detector* detector);

/* ---- Images ------------------------------------------------------------------------------------------------------ */

enum { NUCDET_UINT8 = 0, NUCDET_UINT16 = 1, NUCDET_FLOAT32 = 2 };
enum { NUCDET_RGB = 0, NUCDET_BGR = 1 };

/** Pixels as they lie in the caller's memory. Integers: 0 and the type's largest are black and white; floats: 0 and 1.
 */
typedef struct nucdet_image {
  size_t size;            /**< sizeof(nucdet_image) */
  const void* pixels;     /**< the first value of the top left pixel */
  int64_t height, width;  /**< pixels */
  int32_t channels;       /**< 3; 1 is taken for grey; of 4 the last, alpha, is ignored */
  int32_t type;           /**< NUCDET_UINT8, NUCDET_UINT16 or NUCDET_FLOAT32, in the machine's byte order */
  int32_t order;          /**< NUCDET_RGB or NUCDET_BGR */
  int32_t reserved;       /**< 0 */
  int64_t row_stride;     /**< bytes from a row to the next, may be negative; 0: there is nothing between rows */
  int64_t pixel_stride;   /**< bytes from a pixel to the next; 0: there is nothing between pixels */
  int64_t channel_stride; /**< bytes from a channel to the next; 0: they lie side by side */
  double um_per_pixel;    /**< 0.1 to 1.5: the image is looked at in pixels of 0.25 um; 0: not known, taken for 0.25 */
} nucdet_image;

/* ---- Detections -------------------------------------------------------------------------------------------------- */

/** A nucleus. This struct never changes. */
typedef struct nucdet_nucleus {
  double x, y;             /**< its centre, pixels of the image; of a slide, of level 0 */
  float score;             /**< in [0, 1]; by weights of version 0.1 the network's response */
  int32_t class_id;        /**< see nucdet_detector_class_name; -1: not known */
  float class_probability; /**< of that class, in (0, 1]; 0 where the class is not known */
  uint32_t reserved;       /**< 0 */
} nucdet_nucleus;

/** What was found. It does not need its detector any more. */
typedef struct nucdet_detections nucdet_detections;

/** Told before each tile how many of `all` are done: anything but 0 ends the call with NUCDET_CANCELLED. And once more
 * after the last, when there is nothing left to end. While a slide is searched for its tissue, before its tiles are
 * known, it is told that 0 are done, of as many as there are parts to search. Called by one thread at a time, which of
 * a slide on a GPU need not be the caller's; it must return, not jump or throw. `user` is what the call was given. */
typedef int (*nucdet_progress)(void* user, int64_t done, int64_t all);

/** Finds the nuclei of an image, in row-major order of their pixels. Pixels of 8 or 16 bits that lie side by side are
 * not copied; others and floats are. progress: may be null. */
NUCDET_API nucdet_status nucdet_detect(const nucdet_detector* detector, const nucdet_image* image,
                                       nucdet_progress progress, void* user, nucdet_detections** result);

typedef struct nucdet_slide_options {
  size_t size;         /**< sizeof(nucdet_slide_options) */
  double um_per_pixel; /**< of level 0, 0.1 to 1.5; 0: as the file says, or 0.25 where it does not */
  int32_t everywhere;  /**< not 0: also where there is no tissue */
  int32_t ahead;       /**< tiles that are read while the network is at work; 0: 2 */
} nucdet_slide_options;

/** Finds the nuclei of a whole slide, a tile at a time where it has tissue: scanners' formats by OpenSlide, tiled TIFF
 * pyramids without. Memory does not grow with the slide, but for its nuclei, which come tile by tile. options and
 * progress: may be null. */
NUCDET_API nucdet_status nucdet_detect_slide(const nucdet_detector* detector, const char* path,
                                             const nucdet_slide_options* options, nucdet_progress progress, void* user,
                                             nucdet_detections** result);

/** How many nuclei; 0 for null. */
NUCDET_API size_t nucdet_detections_count(const nucdet_detections* detections);
/** They lie side by side; null if there are none. */
NUCDET_API const nucdet_nucleus* nucdet_detections_nuclei(const nucdet_detections* detections);
/** The um a pixel that were reckoned with: the caller's, the slide's, or 0.25; 0 for null. */
NUCDET_API double nucdet_detections_um_per_pixel(const nucdet_detections* detections);
NUCDET_API void nucdet_detections_free(nucdet_detections* detections);

/* ---- Matching and scores ----------------------------------------------------------------------------------------- */

/** Points in the caller's memory: x, then y, from each. This struct never changes. */
typedef struct nucdet_points {
  const double* xy; /**< the first point's x; may be null if there are none */
  size_t count;
  size_t stride; /**< bytes from a point to the next, a multiple of 8; 0: 16. sizeof(nucdet_nucleus) for &nuclei[0].x */
} nucdet_points;

/** Which predicted point stands for which true one. This struct never changes. */
typedef struct nucdet_pair {
  int64_t predicted, truth; /**< numbers of points, from 0 */
  double distance;          /**< pixels */
} nucdet_pair;

/** This struct never changes. */
typedef struct nucdet_score {
  int64_t hits, false_alarms, misses;
  double precision, recall, f1;             /**< of nothing: 1 */
  double distance_mean, distance_deviation; /**< of the hits, pixels; NaN without any */
} nucdet_score;

typedef struct nucdet_matching nucdet_matching;

/** Pairs points at most `gate` pixels apart (16 in the paper, of 0.25 um), one to one: as many as can be, and of those
 * the least total distance (Hungarian method). */
NUCDET_API nucdet_status nucdet_match(const nucdet_points* predicted, const nucdet_points* truth, double gate,
                                      nucdet_matching** result);
/** How many pairs; 0 for null. */
NUCDET_API size_t nucdet_matching_count(const nucdet_matching* matching);
/** Ordered by `predicted`; null if there are none. */
NUCDET_API const nucdet_pair* nucdet_matching_pairs(const nucdet_matching* matching);
/** Counts and means of a matching. */
NUCDET_API nucdet_status nucdet_matching_score(const nucdet_matching* matching, nucdet_score* score);
NUCDET_API void nucdet_matching_free(nucdet_matching* matching);

#ifdef __cplusplus
}
#endif

#endif
