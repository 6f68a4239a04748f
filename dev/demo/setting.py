"""The stage of the demo: storage, Key Vault, a vendor's simulator and the app, each started for real."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import requests
from azure.storage.blob import BlobServiceClient, ContainerClient

from dev.demo.vendors import DemoVendor
from dev.described.judging import Judge
from dev.described.proxy import proxy
from dev.host.host_process import HostProcess
from dev.host.services import LocalServices

REPOSITORY = Path(__file__).parents[2]
CONTAINER = "segments"
EVERY_TWO_SECONDS = "*/2 * * * * *"


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs; `simulators` are the vendors' addresses, by name. `judges` are of those before which a
    proxy looks whether all is as the vendor describes it.
    """

    host: HostProcess
    services: LocalServices
    simulators: Mapping[str, str]
    container: ContainerClient
    judges: Mapping[str, Judge]


@contextmanager
def stage(vendors: Sequence[DemoVendor], judges: Mapping[str, Judge] = MappingProxyType({})) -> Iterator[Stage]:
    """Start everything, one app for all of the vendors, and end everything."""
    with ExitStack() as stack:
        services = stack.enter_context(LocalServices())
        simulators = {vendor.name: stack.enter_context(_simulator(vendor)) for vendor in vendors}
        for name, judge in judges.items():
            simulators[name] = stack.enter_context(proxy(simulators[name], judge))
        hosts = [pair for vendor in vendors for pair in vendor.hosts(simulators[vendor.name]).items()]
        settings = {
            "SEGMENT_LOCATIONS": CONTAINER,
            "EXPORT_SCHEDULE": EVERY_TWO_SECONDS,
            "VENDOR_HOSTS": ",".join(f"{host}={url}" for host, url in hosts),
        }
        apps = {vendor.name: vendor.app for vendor in vendors if vendor.app}
        for name, (_, secret) in apps.items():
            services.key_vault.set_secret(f"{name}-app", secret)
        if apps:
            settings["OAUTH_APPS"] = ",".join(f"{name}={client_id}:{name}-app" for name, (client_id, _) in apps.items())
        host = stack.enter_context(HostProcess(REPOSITORY, settings=settings, services=services, polling=0.2))
        storage = stack.enter_context(BlobServiceClient.from_connection_string(services.connection_string))
        yield Stage(host, services, simulators, storage.create_container(CONTAINER), judges)


@contextmanager
def _simulator(vendor: DemoVendor) -> Iterator[str]:
    """The vendor's simulator in a process of its own."""
    command = [sys.executable, "-m", "dev.simulators", vendor.name, "--port", "0"]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the {vendor.name} simulator did not start (exit status {process.wait()})")
        url = line.split()[-1]
        requests.post(f"{url}/_simulator/settings", json=dict(vendor.simulator), timeout=30).raise_for_status()
        yield url
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
