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
"""Rules for reading values of options, in addition to tyro's."""
_NOTHING, _LEFT_OUT = "None", ("left", "out")
"""The word for no value, and the text for an option without one."""


@contextlib.contextmanager
def whole_lines() -> Iterator[None]:
    """Remove the line breaks of fields' docstrings before tyro shows them.

    Their parser keeps the indentation of continued lines, at which tyro breaks lines.
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
    """Show `Path | None` as PATH, not as {None}|PATH; None is still accepted, over a preset."""
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
    """Show the default of an empty `tuple[X, ...]` as left out."""
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
