"""Findings of checkov that stay, each with the reason: (check, resource) -> why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Finding(NamedTuple):
    """One failed check of one resource, `type.name`; the name is without the part that differs by deployment."""

    check: str
    resource: str


_APP = "Microsoft.Web/sites.func-exports-prod-"
_SETTINGS = "Microsoft.Web/sites/config.func-exports-prod-/appsettings"
_STATE = "Microsoft.Storage/storageAccounts.stexports"
_SEGMENTS = "Microsoft.Storage/storageAccounts.stsegments"
_PLAN = "Microsoft.Web/serverfarms.plan-exports-prod"

_NOT_FLEX = "A setting that a Flex Consumption app does not have."
_NOT_SETTINGS = "This resource holds app settings only; checkov takes it for the site's whole configuration."
_ZONES = "Three copies in three zones (ZRS); a second region is a parameter, storageSku."

ACCEPTED: Mapping[Finding, str] = {
    Finding("CKV_AZURE_17", _APP): "People come with a browser and programs with a key; neither has a certificate.",
    Finding("CKV_AZURE_18", _APP): _NOT_FLEX,
    Finding("CKV_AZURE_67", _APP): _NOT_FLEX,
    Finding("CKV_AZURE_78", _APP): "Flex Consumption has no FTP, and its password is off (ftpPassword).",
    Finding("CKV_AZURE_212", _APP): "The platform starts instances as messages and requests come.",
    Finding("CKV_AZURE_213", _APP): _NOT_FLEX,
    Finding("CKV_AZURE_222", _APP): "Marketers open its pages; every page and route asks for a sign-in or a key.",
    Finding("CKV_AZURE_13", _SETTINGS): "The app signs people in itself.",
    Finding("CKV_AZURE_63", _SETTINGS): _NOT_SETTINGS,
    Finding("CKV_AZURE_65", _SETTINGS): _NOT_SETTINGS,
    Finding("CKV_AZURE_66", _SETTINGS): _NOT_SETTINGS,
    Finding("CKV_AZURE_80", _SETTINGS): _NOT_SETTINGS,
    Finding("CKV_AZURE_88", _SETTINGS): _NOT_SETTINGS,
    Finding("CKV_AZURE_222", _SETTINGS): _NOT_SETTINGS,
    Finding("CKV_AZURE_225", _PLAN): "A parameter, zoneRedundant: not every region has zones.",
    Finding("CKV_AZURE_59", _STATE): "Open to the allowed addresses alone: links to rejected rows lead people there.",
    Finding("CKV_AZURE_206", _STATE): _ZONES,
    Finding("CKV_AZURE_35", _SEGMENTS): "The source product delivers from addresses of its own.",
    Finding("CKV_AZURE_59", _SEGMENTS): "The source product delivers from outside; no blob is public.",
    Finding("CKV_AZURE_206", _SEGMENTS): _ZONES,
}
