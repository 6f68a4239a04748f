"""A storage account in memory, for suites that are not about storage: what the service asks of Azure's clients.

The clients of an account stand where Azure's own do, below `shared.cloud`, so that everything of ours runs as it is.
`tests/integration/cloud` holds them to the same promises as the real ones on Azurite.
"""

from tests.memory.account import Account, azurite_or_memory, follow, in_memory, receiving

__all__ = ["Account", "azurite_or_memory", "follow", "in_memory", "receiving"]
