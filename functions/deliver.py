"""Queue: one slice of one delivery, or one count of a snapshot's rows. The trigger's message is never touched."""

from __future__ import annotations

import azure.functions as func

from functions import process

blueprint = func.Blueprint()


@blueprint.function_name("deliver")
@blueprint.queue_trigger(arg_name="message", queue_name="export-slices", connection="AzureWebJobsStorage")
def deliver(message: func.QueueMessage) -> None:
    from shared.delivery.inbox import receive

    receive(process.cloud(), message.get_body(), str(message.id), message.dequeue_count or 1)
