"""Compiles the fast path (fastpath.c) where there is a compiler; without it the plugin does the same in Python."""

from setuptools import Extension, setup

NAME = "helpouts_video_aiortc"
setup(
    ext_modules=[
        # No module to import but a library that cffi opens: it knows nothing of Python, and serves every release.
        Extension(
            f"{NAME}._fastpath",
            [f"src/{NAME}/fastpath.c"],
            depends=[f"src/{NAME}/fastpath.h"],
            py_limited_api=True,
            optional=True,
        )
    ]
)
