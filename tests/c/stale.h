/* A workspace as another call may have left it: the library must not take what stands there for
 * anything. */
#ifndef STALE_H
#define STALE_H

#include <stdlib.h>
#include <string.h>

/* As 16 bits these are more than features of quantities may be, as 32 bits more than any sum has room
 * for. */
enum { STALE = 0x7f };

static inline void *stale_workspace(size_t bytes)
{
    void *const workspace = malloc(bytes ? bytes : 1);

    return workspace ? memset(workspace, STALE, bytes) : NULL;
}

#endif
