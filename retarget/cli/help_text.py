"""What `--help` says about an option: its docstring without line breaks, and its kind of value."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Union, get_args

import docstring_parser
from docstring_parser import Docstring, DocstringStyle
from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    UnsupportedTypeAnnotationError,
)

REGISTRY = ConstructorRegistry()
"""How the values of options are read, beside what tyro knows."""
_NOTHING, _LEFT_OUT = "None", ("left", "out")
"""What is taken for no value, and what is told of an option that has none."""


@contextlib.contextmanager
def whole_lines() -> Iterator[None]:
    """Let tyro take fields' docstrings without the line breaks of their source.

    Their parser leaves continued lines indented, and tyro begins an indented line anew.
    """
    parse = docstring_parser.parse_from_object

    def flowing(obj: Any, style: DocstringStyle = DocstringStyle.AUTO) -> Docstring:
        parsed = parse(obj, style)
        for field in parsed.params:
            field.description = " ".join((field.description or "").split()) or None
        return parsed

    docstring_parser.parse_from_object = flowing
    try:
        yield
    finally:
        docstring_parser.parse_from_object = parse


@REGISTRY.primitive_rule
def _may_be_left_out(
    info: PrimitiveTypeInfo,
) -> PrimitiveConstructorSpec[Any] | UnsupportedTypeAnnotationError | None:
    """`Path | None` is told as PATH, not as {None}|PATH; None is still taken, over a preset."""
    kinds = [kind for kind in get_args(info.type) if kind is not types.NoneType]
    if info.type_origin not in (Union, types.UnionType) or len(kinds) != 1:
        return None
    spec = REGISTRY.get_primitive_spec(PrimitiveTypeInfo.make(kinds[0], info.markers))
    if not isinstance(spec, PrimitiveConstructorSpec) or spec.nargs != 1:
        return None
    return replace(
        spec,
        instance_from_str=lambda s: None if s == [_NOTHING] else spec.instance_from_str(s),
        is_instance=lambda value: value is None or spec.is_instance(value),
        str_from_instance=lambda v: list(_LEFT_OUT) if v is None else spec.str_from_instance(v),
        choices=None if spec.choices is None else (*spec.choices, _NOTHING),
    )


@REGISTRY.primitive_rule
def _may_be_empty(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """Of a `tuple[X, ...]` that is empty it is told that it is left out, not an empty default."""
    kinds = get_args(info.type)
    if info.type_origin is not tuple or kinds[1:] != (...,):
        return None
    listed: Any = types.GenericAlias(list, kinds[0])
    spec = REGISTRY.get_primitive_spec(PrimitiveTypeInfo.make(listed, info.markers))
    if not isinstance(spec, PrimitiveConstructorSpec):
        return None
    return replace(
        spec,
        instance_from_str=lambda s: tuple(spec.instance_from_str(s)),
        is_instance=lambda value: isinstance(value, tuple) and spec.is_instance(list(value)),
        str_from_instance=lambda v: spec.str_from_instance(list(v)) if v else list(_LEFT_OUT),
    )
