"""Timer: start the exports that are due, and wake deliveries that went silent."""

from __future__ import annotations

import logging

import azure.functions as func

from functions import process

blueprint = func.Blueprint()


@blueprint.function_name("schedule")
@blueprint.timer_trigger(arg_name="timer", schedule="%EXPORT_SCHEDULE%", run_on_startup=False, use_monitor=True)
def schedule(timer: func.TimerRequest) -> None:
    started = process.service().tick()
    if started:
        logging.info("Started by schedule: %s.", ", ".join(run.export for run in started))
