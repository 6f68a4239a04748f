"""What a host loads for the tests that kill the real app: the same functions, in a process that ends itself."""

from __future__ import annotations

import os

import azure.functions as func

from dev.faults import killing
from functions import deliver, poison, run_export, schedule, web

killing.arm(os.environ)

app = func.FunctionApp()
for module in (schedule, run_export, deliver, poison, web):
    app.register_functions(module.blueprint)
