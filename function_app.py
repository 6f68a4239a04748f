"""What the Functions host loads: registers the triggers, nothing else."""

import azure.functions as func

from functions import deliver, poison, run_export, schedule, web

app = func.FunctionApp()
for module in (schedule, run_export, deliver, poison, web):
    app.register_functions(module.blueprint)
