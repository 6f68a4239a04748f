"""What there is to say of an export with all its connections, before it is saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.access.actions import Action, require
from shared.access.person import Person
from shared.catalog import companions
from shared.catalog.export_validation import Judgement, Surroundings, judge
from shared.catalog.issues import Issue
from shared.catalog.models import Connection, Export, ExportInput
from shared.catalog.neighbours import Neighbours
from shared.catalog.store import DefinitionStore
from shared.vendors.contract import Definition
from shared.wording import say


@dataclass(frozen=True, slots=True)
class Judging:
    """Judges exports beside what is stored."""

    connections: DefinitionStore[Connection]
    exports: DefinitionStore[Export]
    definitions: Mapping[str, Definition]
    neighbours: Neighbours

    def verdict(self, name: str, sent: ExportInput, caller: Person) -> tuple[Surroundings, Judgement]:
        """What the export is judged by, and what there is to say of it and of its other connections. Raises
        Forbidden where the caller may not use one of its connections."""
        around, own = self._one(name, sent, caller)
        beside = self._companions(name, sent, caller)
        issues = [*own.issues, *companions.shape_issues(sent), *beside.issues, *self._same_lists(sent)]
        return around, Judgement(_once(issues), _once([*own.warnings, *beside.warnings]))

    def _one(self, name: str, sent: ExportInput, caller: Person, family: str = "") -> tuple[Surroundings, Judgement]:
        """One definition by itself; `family` is the owner of a companion."""
        held = self.connections.get(sent.connection)
        connection = held.item if held else None
        if connection:
            require(caller, Action.EDIT_EXPORT, connection)
        else:
            require(caller, Action.EDIT_EXPORT)
        around = self.neighbours.around(name, sent, connection, family)
        return around, judge(sent, around)

    def _companions(self, owner: str, sent: ExportInput, caller: Person) -> Judgement:
        """What there is to say of an export's other connections, at their places in its definition."""
        issues: list[Issue] = []
        warnings: list[Issue] = []
        for index, (name, definition) in enumerate(companions.wanted(owner, sent).items()):
            taken = self.exports.get(name)
            if taken and taken.item.owned_by != owner:
                words = say('The export "%(name)s" has the name that this one needs: remove it.', name=name)
                issues.append(Issue(f"/also/{index}/connection", words))
            _, verdict = self._one(name, definition, caller, owner)
            issues += companions.placed(verdict.issues, index)
            warnings += companions.placed(verdict.warnings, index)
        return Judgement(tuple(issues), tuple(warnings))

    def _same_lists(self, sent: ExportInput) -> Iterator[Issue]:
        definitions = [sent, *(companions.definition(sent, each) for each in sent.also)]
        held = [self.connections.get(each.connection) for each in definitions]
        return companions.same_lists(
            [
                companions.places(each, connection.item if connection else None, self.definitions)
                for each, connection in zip(definitions, held, strict=True)
            ]
        )


def _once(issues: list[Issue]) -> tuple[Issue, ...]:
    return tuple(dict.fromkeys(issues))
