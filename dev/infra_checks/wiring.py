"""Between files: modules get the parameters they ask for, used outputs exist, secrets stay in, versions agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tree_sitter import Node

from dev.infra_checks.problem import Problem
from dev.infra_checks.template import Declared, Template, body, literal, properties, text, walk

_LITERAL_TYPES = {"string": "string", "number": "int", "boolean": "bool", "array": "array", "object": "object"}


def wiring(templates: Sequence[Template]) -> Iterator[Problem]:
    """All files together."""
    by_path = {template.path.resolve(): template for template in templates}
    for template in templates:
        yield from _modules(template, by_path)
        yield from _outputs_used(template, by_path)
        yield from _parents(template)
        yield from _secrets_out(template)
    yield from _versions(templates)


def _called(template: Template, module: Declared, by_path: Mapping[Path, Template]) -> Template | None:
    return by_path.get((template.path.parent / module.target).resolve())


def _modules(template: Template, by_path: Mapping[Path, Template]) -> Iterator[Problem]:
    for module in template.of("module").values():
        called = _called(template, module, by_path)
        if called is None:
            yield Problem(template.path, module.line, f"there is no {module.target}")
            continue
        given = properties(properties(body(module.value)).get("params"))
        wanted = called.of("parameter")
        for name, value in given.items():
            line = value.start_point.row + 1
            if name not in wanted:
                yield Problem(template.path, line, f"{module.target} has no parameter {name}")
            else:
                yield from _passed(template, line, value, wanted[name])
        for name, parameter in wanted.items():
            if parameter.value is None and not parameter.type.endswith("?") and name not in given:
                yield Problem(template.path, module.line, f"{module.target} needs the parameter {name}")


def _passed(template: Template, line: int, value: Node, wanted: Declared) -> Iterator[Problem]:
    """A value's type, where it can be told; and that secrets are passed as secrets."""
    source = template.of("parameter").get(text(value)) if value.type == "identifier" else None
    given = source.type if source else _LITERAL_TYPES.get(value.type)
    if given and given != wanted.type:
        yield Problem(template.path, line, f"{wanted.name} is {wanted.type}, and gets {given}")
    if "secure" not in wanted.decorators and _secrets(template, value):
        yield Problem(template.path, line, f"{wanted.name} gets a secret and is not marked @secure()")


def _outputs_used(template: Template, by_path: Mapping[Path, Template]) -> Iterator[Problem]:
    modules = template.of("module")
    for node in walk(template.root):
        if node.type != "member_expression":
            continue
        name, member = node.child_by_field_name("object"), node.child_by_field_name("property")
        if name is None or member is None:
            continue
        line = node.start_point.row + 1
        if _symbol(name) in modules and text(member) not in ("outputs", "name"):
            yield Problem(template.path, line, f"a module has no {text(member)}")
        inner = name.child_by_field_name("object") if text(name).endswith(".outputs") else None
        module = modules.get(_symbol(inner)) if inner else None
        called = _called(template, module, by_path) if module else None
        if module and called and text(member) not in called.of("output"):
            yield Problem(template.path, line, f"{module.target} has no output {text(member)}")


def _symbol(node: Node) -> str:
    """Of `m` and of `m[0]`: m."""
    inner = node.child_by_field_name("object") if node.type == "subscript_expression" else node
    return text(inner) if inner is not None and inner.type == "identifier" else ""


def _parents(template: Template) -> Iterator[Problem]:
    """A resource with a parent is of a type below its parent's."""
    resources = template.of("resource")
    for resource in resources.values():
        parent = properties(body(resource.value)).get("parent")
        above = resources.get(_symbol(parent)) if parent else None
        if parent is not None and above is None:
            yield Problem(template.path, resource.line, f"the parent of {resource.name} is no resource")
        elif above and _type(resource).rpartition("/")[0] != _type(above):
            yield Problem(template.path, resource.line, f"a {_type(resource)} has no parent of type {_type(above)}")


def _type(resource: Declared) -> str:
    return resource.target.partition("@")[0]


def _secrets(template: Template, node: Node) -> bool:
    """Whether an expression holds a secure parameter, also by way of variables."""
    parameters, variables = template.of("parameter"), template.of("variable")
    for each in walk(node):
        name = text(each) if each.type == "identifier" else ""
        if name in parameters and "secure" in parameters[name].decorators:
            return True
        value = variables[name].value if name in variables else None
        if value is not None and _secrets(template, value):
            return True
    return False


def _secrets_out(template: Template) -> Iterator[Problem]:
    for output in template.of("output").values():
        if output.value is not None and _secrets(template, output.value):
            yield Problem(template.path, output.line, f"the output {output.name} tells a secret")
    for parameter in template.of("parameter").values():
        if "secure" in parameter.decorators and literal(parameter.value):
            yield Problem(template.path, parameter.line, f"the secure parameter {parameter.name} has a default")


def _versions(templates: Sequence[Template]) -> Iterator[Problem]:
    """One API version for a type and everything below it."""
    seen: dict[str, set[str]] = defaultdict(set)
    for template in templates:
        for resource in template.of("resource").values():
            top = "/".join(_type(resource).split("/")[:2]).lower()
            version = resource.target.partition("@")[2]
            if not version:
                yield Problem(template.path, resource.line, f"{resource.name} has no API version")
            seen[top].add(version)
            if len(seen[top]) > 1:
                found = ", ".join(sorted(seen[top]))
                yield Problem(template.path, resource.line, f"{top} is used in several versions: {found}")
