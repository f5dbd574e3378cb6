#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>

#include "pixels.h"

/* Reads a buffer (height, width, channels) of bytes. Raises ValueError, and returns -1, for any other. */
static int pixels_of(PyObject *object, int flags, const char *name, Py_buffer *buffer, Pixels *pixels) {
    if (PyObject_GetBuffer(object, buffer, flags))
        return -1;
    const Py_ssize_t *shape = buffer->shape, *strides = buffer->strides, most = 1 << 24;
    const int is_image = buffer->ndim == 3 && buffer->itemsize == 1 && shape[0] > 0 && shape[0] < most && shape[1] > 0 &&
                         shape[1] < most && shape[2] > 0 && shape[2] <= 4;
    /* The stride along an axis of one element means nothing. */
    const Py_ssize_t step = is_image && shape[1] > 1 ? strides[1] : 4;
    if (!is_image || (shape[2] > 1 && strides[2] != 1) || step < shape[2] || step > 4) {
        PyErr_Format(PyExc_ValueError, "%s: expected bytes (height, width, 1 to 4), a pixel every 4 or less", name);
        PyBuffer_Release(buffer);
        return -1;
    }
    *pixels = (Pixels){buffer->buf, strides[0], (int)step, (int)shape[1], (int)shape[0], (int)shape[2]};
    return 0;
}

/* A source and a target, held until they are released. */
typedef struct {
    Py_buffer source_buffer, target_buffer;
    Pixels source, target;
} Pair;

static void release(Pair *pair) {
    PyBuffer_Release(&pair->source_buffer);
    PyBuffer_Release(&pair->target_buffer);
}

static PyObject *refuse(Pair *pair, const char *why) {
    release(pair);
    PyErr_SetString(PyExc_ValueError, why);
    return NULL;
}

static int take(PyObject *source, PyObject *target, Pair *pair) {
    if (pixels_of(source, PyBUF_STRIDES, "source", &pair->source_buffer, &pair->source))
        return -1;
    if (pixels_of(target, PyBUF_STRIDES | PyBUF_WRITABLE, "target", &pair->target_buffer, &pair->target)) {
        PyBuffer_Release(&pair->source_buffer);
        return -1;
    }
    if (pair->source.channels != pair->target.channels) {
        refuse(pair, "source and target must have the same channels");
        return -1;
    }
    return 0;
}

static int is_rgb(Pixels pixels) { return pixels.channels == 3 && (pixels.step == 3 || pixels.width == 1); }

static int take_rgb(PyObject *source, PyObject *target, Pair *pair) {
    if (take(source, target, pair))
        return -1;
    if (!is_rgb(pair->source) || !is_rgb(pair->target)) {
        refuse(pair, "source and target must be RGB without gaps");
        return -1;
    }
    return 0;
}

static PyObject *finish(Pair *pair, int failed) {
    release(pair);
    if (failed)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *py_block_means(PyObject *Py_UNUSED(self), PyObject *arguments) {
    PyObject *source, *target;
    int across, down, failed;
    Pair pair;
    if (!PyArg_ParseTuple(arguments, "OOii", &source, &target, &across, &down) || take(source, target, &pair))
        return NULL;
    if (across < 1 || down < 1 || down > MAX_BLOCK_HEIGHT || across > MAX_BLOCK_PIXELS / down)
        return refuse(&pair, "blocks must have 1 to 16777216 pixels, and at most 257 rows");
    if (pair.target.width != (pair.source.width - 1) / across + 1 ||
        pair.target.height != (pair.source.height - 1) / down + 1)
        return refuse(&pair, "target must have a pixel for each block");
    Py_BEGIN_ALLOW_THREADS
    failed = block_means(pair.source, pair.target, across, down);
    Py_END_ALLOW_THREADS
    return finish(&pair, failed);
}

static PyObject *py_mix(PyObject *Py_UNUSED(self), PyObject *arguments) {
    PyObject *source, *target;
    float m[12];
    Pair pair;
    if (!PyArg_ParseTuple(arguments, "OO(ffffffffffff)", &source, &target, m, m + 1, m + 2, m + 3, m + 4, m + 5, m + 6,
                          m + 7, m + 8, m + 9, m + 10, m + 11) ||
        take(source, target, &pair))
        return NULL;
    if (pair.source.channels != 3 || pair.source.width != pair.target.width || pair.source.height != pair.target.height)
        return refuse(&pair, "source and target must have the same size and three channels");
    for (int i = 0; i < 12; i++)
        if (!isfinite(m[i]))
            return refuse(&pair, "the weights must be finite");
    Py_BEGIN_ALLOW_THREADS
    mix(pair.source, pair.target, m);
    Py_END_ALLOW_THREADS
    return finish(&pair, 0);
}

static PyObject *py_resize(PyObject *Py_UNUSED(self), PyObject *arguments) {
    PyObject *source, *target;
    float width, height;
    int failed;
    Pair pair;
    if (!PyArg_ParseTuple(arguments, "OOff", &source, &target, &width, &height) || take_rgb(source, target, &pair))
        return NULL;
    if (!(width > pair.source.width - 1 && width <= pair.source.width && height > pair.source.height - 1 &&
          height <= pair.source.height))
        return refuse(&pair, "width and height must end within the source's last pixel");
    Py_BEGIN_ALLOW_THREADS
    failed = resize(pair.source, pair.target, width, height);
    Py_END_ALLOW_THREADS
    return finish(&pair, failed);
}

static PyObject *py_crop(PyObject *Py_UNUSED(self), PyObject *arguments) {
    PyObject *source, *target;
    double m[6];
    int failed;
    Pair pair;
    if (!PyArg_ParseTuple(arguments, "OO(dddddd)", &source, &target, m, m + 1, m + 2, m + 3, m + 4, m + 5) ||
        take_rgb(source, target, &pair))
        return NULL;
    for (int i = 0; i < 6; i++)
        if (!isfinite(m[i]))
            return refuse(&pair, "the transform must be finite");
    Py_BEGIN_ALLOW_THREADS
    failed = crop(pair.source, pair.target, m);
    Py_END_ALLOW_THREADS
    return finish(&pair, failed);
}

static PyMethodDef methods[] = {
    {"block_means", py_block_means, METH_VARARGS, NULL},
    {"mix", py_mix, METH_VARARGS, NULL},
    {"resize", py_resize, METH_VARARGS, NULL},
    {"crop", py_crop, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_pixels", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__pixels(void) { return PyModuleDef_Init(&definition); }
