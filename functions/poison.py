"""Queue: a message that failed too often. Its delivery fails, if the message's turn is the current one.

The message itself is kept where the host does not delete it: in the blob container, for whoever looks into it.
"""

from __future__ import annotations

import azure.functions as func

from functions import process

blueprint = func.Blueprint()


@blueprint.function_name("poison")
@blueprint.queue_trigger(arg_name="message", queue_name="export-slices-poison", connection="AzureWebJobsStorage")
def poison(message: func.QueueMessage) -> None:
    from shared.delivery.inbox import give_up

    give_up(process.cloud(), message.get_body(), str(message.id))
