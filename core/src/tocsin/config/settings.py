"""A plugin's own fields, of an account or a source: TOML values into its settings class, by way of cattrs.

The class says by its types what may be written, and by its validators what is right. Both speak through findings here.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any, Literal, get_args, get_origin

import attrs
from cattrs import BaseValidationError, ClassValidationError, Converter, IterableValidationError
from cattrs.errors import IterableValidationNote, StructureHandlerNotFoundError

from tocsin.config import units
from tocsin.config.findings import Unfit, key_path
from tocsin.config.secrets import SecretResolver
from tocsin.config.table import Table
from tocsin.model.account import Vendor
from tocsin.model.alert import SourceKind
from tocsin.model.secret import Secret
from tocsin.model.template import Expression, Template

_REFUSALS = (ValueError, TypeError, AttributeError, BaseValidationError, StructureHandlerNotFoundError)
_OTHER_VALUE = "expected another value"
_LARGEST = 2**63 - 1
_WITHHELD: tuple[type, ...] = (type(attrs.NOTHING), type(attrs.Factory(list)), Secret)

Fields = Mapping[str, "attrs.Attribute[Any]"]


def read_settings(table: Table, owner: Vendor | SourceKind, secrets: SecretResolver) -> object | None:
    """Return the plugin's settings as the table of an account or a source gives them, or None after a finding.

    Args:
        table: of the account or source; its other keys belong to the core.
        owner: whose settings class is built.
        secrets: resolves fields of type `Secret`.
    """
    before = len(table.findings.lines)
    members = attrs.fields(attrs.resolve_types(owner.settings))
    fields: Fields = {field.alias or field.name: field for field in members if field.init}
    values = _structure_each(table, fields, _converter(secrets))
    draft = _draft(table, fields, values)
    for key, field in fields.items():
        if key in values:
            _judge(table, key, field, draft, values[key])
        elif key not in table.content and field.default is attrs.NOTHING:
            what = "vendor" if isinstance(owner, Vendor) else "kind"
            table.note(key, f"missing; the {what} {owner.name} needs it")
    return _build(table, owner.settings, values) if len(table.findings.lines) == before else None


def _structure_each(table: Table, fields: Fields, converter: Converter) -> dict[str, Any]:
    """Return what fits its field's type, by the field's key."""
    values = {}
    for key, field in fields.items():
        given = table.take(key)
        if given is None:
            continue
        try:
            values[key] = _structure(converter, given, field.type)
        except _REFUSALS as error:
            for path, text in _explain(error, key_path(table.path, key)):
                table.findings.add(path, text)
    return values


def _structure(converter: Converter, given: object, kind: Any) -> Any:
    if get_origin(kind) in (tuple, list) and not isinstance(given, list):
        raise Unfit("expected a list such as [ … ]")  # cattrs would take a text for a list of its letters
    return given if kind is None else converter.structure(given, kind)


def _explain(error: Exception, path: str) -> Iterator[tuple[str, str]]:
    """Yield key path and text of everything that cattrs gathered."""
    match error:
        case IterableValidationError() | ClassValidationError():
            for inner, inner_path in _parts(error, path):
                yield from _explain(inner, inner_path)
        case Unfit():
            yield path, str(error)
        case _:
            yield path, "expected another kind of value"


def _parts(error: IterableValidationError | ClassValidationError, path: str) -> Iterator[tuple[Exception, str]]:
    located, others = error.group_exceptions()
    for inner, note in located:
        if isinstance(note, IterableValidationNote):
            yield inner, f"{path}[{note.index!r}]"
        else:
            yield inner, key_path(path, note.name)
    for inner in others:
        yield inner, path


def _draft(table: Table, fields: Fields, values: dict[str, Any]) -> SimpleNamespace:
    """Return what validators may look at before the whole is built: plain defaults, and what fits but is no secret."""
    known = {field.name: field.default for key, field in fields.items() if key not in table.content}
    known |= {fields[key].name: value for key, value in values.items()}
    return SimpleNamespace(**{name: value for name, value in known.items() if not isinstance(value, _WITHHELD)})


def _judge(table: Table, key: str, field: attrs.Attribute[Any], draft: SimpleNamespace, value: Any) -> None:
    """Ask the field's own validator, so that its finding names the field and hides no other."""
    if field.validator is None or field.converter is not None:
        return
    try:
        field.validator(draft, field, value)
    except AttributeError:
        return  # it looks at more than the draft has, and is asked again when the whole is built
    except (ValueError, TypeError) as error:
        table.note(key, _words(error, [value]))


def _build(table: Table, settings: type, values: dict[str, Any]) -> object | None:
    try:
        built: object = settings(**values)
    except (ValueError, TypeError) as error:
        table.findings.add(table.path, _words(error, values.values()))
        return None
    return built


def _words(error: Exception, seen: Iterable[object]) -> str:
    """Return a validator's words, unless they tell a secret that it has seen."""
    words = str(next(iter(error.args), _OTHER_VALUE))  # the validators of attrs append the value to their words
    secrets = (value.reveal() for value in seen if isinstance(value, Secret))
    return _OTHER_VALUE if any(secret in words for secret in secrets) else words


def _converter(secrets: SecretResolver) -> Converter:
    """Return a converter that takes nothing for something else: no "1" for 1, no 1 for true."""
    parsers: dict[type, Callable[[object], object]] = {
        str: units.any_text,
        bool: units.flag,
        int: units.whole_number(-_LARGEST, _LARGEST),
        Decimal: units.amount,
        timedelta: units.duration,
        Secret: secrets.resolve,
        Template: units.template,
        Expression: units.expression,
    }
    converter = Converter(forbid_extra_keys=True)
    for kind, parser in parsers.items():
        converter.register_structure_hook(kind, partial(_parse_as, parser))
    converter.register_structure_hook_func(_is_literal, _parse_literal)
    converter.register_structure_hook_func(_is_enum, _parse_enum)
    return converter


def _parse_as(parser: Callable[[object], object], value: object, _: object) -> Any:
    return parser(value)


def _is_literal(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _parse_literal(value: object, kind: Any) -> Any:
    return units.choice({str(word): word for word in get_args(kind)})(value)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _parse_enum(value: object, kind: Any) -> Any:
    return units.member(kind)(value)
