#include "CPlatform.h"

/* glibc and Apple's loader hand a program's arguments to its constructors; musl does not. */
#if defined(__GLIBC__) || defined(__APPLE__)
static int given_count = 0;
static char *const *given = NULL;

__attribute__((constructor)) static void take_arguments(int count, char **arguments) {
  given_count = count;
  given = arguments;
}

char *const *hyperslab_arguments(int *count) {
  *count = given_count;
  return given;
}
#else
char *const *hyperslab_arguments(int *count) {
  *count = 0;
  return NULL;
}
#endif
