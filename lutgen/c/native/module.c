/* The library as a file that Python installs: a module without contents, as ctypes calls the library,
 * lutgen/codec/native.py. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_native", NULL, -1, NULL,
                                    NULL,                  NULL,      NULL, NULL};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModule_Create(&module);
}
