"""Holds dashboards against Grafana's schema, as its foundation SDK for Python knows it.

In: files of dashboards. Out: exit code 0, or every place where a dashboard says what the schema does not know (the
SDK drops it), or says it with another type. It never draws anything.
"""

import enum
import json
import sys
import typing

from grafana_foundation_sdk.cog import encoder, plugins
from grafana_foundation_sdk.models import dashboard, prometheus

# What Grafana's Prometheus data source adds to an annotation; the SDK knows those of the core alone.
OF_PROMETHEUS = {"useValueForTime": "on", "titleFormat": None, "textFormat": None, "tagKeys": None}


def dropped(given, kept, place):
    """Every part of `given` that is not in `kept`."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key not in kept:
                yield f"{place}.{key}: not in the schema"
            else:
                yield from dropped(value, kept[key], f"{place}.{key}")
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for number, (one, other) in enumerate(zip(given, kept)):
            yield from dropped(one, other, f"{place}[{number}]")
    elif given != kept:
        yield f"{place}: {given!r} is read as {kept!r}"


def mistyped(value, hint, place):
    """Every value that is not of the type that the schema gives."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint in (object, typing.Any):
        if hasattr(value, "to_json"):
            yield from members(value, place)
    elif origin is typing.Union:
        tries = [list(mistyped(value, one, place)) for one in inner]
        if all(tries):
            # The likeliest meaning is the one that holds furthest into the value.
            yield from max(tries, key=lambda found: len(found[0].split(":")[0]))
    elif origin is typing.Literal:
        if value not in inner:
            yield f"{place}: {value!r} is none of {inner}"
    elif origin is list:
        if not isinstance(value, list):
            yield f"{place}: {value!r} is no list"
            return
        for number, one in enumerate(value):
            yield from mistyped(one, inner[0], f"{place}[{number}]")
    elif origin is dict:
        if not isinstance(value, dict):
            yield f"{place}: {value!r} is no object"
            return
        for key, one in value.items():
            yield from mistyped(one, inner[1], f"{place}.{key}")
    elif hint is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield f"{place}: {value!r} is no number"
    elif issubclass(hint, enum.Enum):
        if value not in [one.value for one in hint]:
            yield f"{place}: {value!r} is none of {[one.value for one in hint]}"
    elif hasattr(hint, "from_json") and isinstance(value, dict):
        # A part that the SDK leaves unread.
        try:
            made = hint.from_json(value)
        except (KeyError, TypeError, ValueError) as error:
            yield f"{place}: no {hint.__name__}: {error!r}"
            return
        yield from dropped(value, plain(made), place)
        yield from members(made, place)
    elif isinstance(value, bool) and hint is int or not isinstance(value, hint):
        yield f"{place}: {value!r} is no {hint.__name__}"
    elif hasattr(value, "to_json"):
        yield from members(value, place)


def members(value, place):
    for name, hint in typing.get_type_hints(type(value)).items():
        yield from mistyped(getattr(value, name), hint, f"{place}.{name}")


def plain(value):
    return json.loads(encoder.JSONEncoder(sort_keys=True).encode(value))


# What Grafana asks for on import and then drops (its own "export for sharing externally").
OF_IMPORT = {"name", "label", "description", "type", "pluginId", "pluginName"}


def problems(given):
    for one in given.pop("__inputs", []):
        if set(one) != OF_IMPORT or (one["type"], one["pluginId"]) != ("datasource", "prometheus"):
            yield f"__inputs: {one!r}"
    for one in given["annotations"]["list"]:
        for key, only in OF_PROMETHEUS.items():
            value = one.pop(key, None)
            if value is not None and (not isinstance(value, str) or only is not None and value != only):
                yield f"annotations: {key}: {value!r}"
    read = dashboard.Dashboard.from_json(given)
    yield from dropped(given, plain(read), "")
    yield from members(read, "")
    for one in read.panels:
        for target in one.targets:
            if not isinstance(target, prometheus.Dataquery):
                yield f"{one.title}: a query that is not for Prometheus"
        if isinstance(one.options, dict):
            yield f"{one.title}: the schema knows no panel {one.type_val}"


def read(path):
    """The problems of one file. A choice that the SDK cannot make is one, too."""
    try:
        with open(path, encoding="utf-8") as file:
            return list(problems(json.load(file)))
    except (KeyError, TypeError, ValueError) as error:
        return [f"the schema cannot read it: {error!r}"]


def main():
    plugins.register_default_plugins()
    found = []
    for path in sys.argv[1:]:
        found += [f"{path}: {problem}" for problem in read(path)]
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
