"""What the vendors' modules say most often, in the reader's language; otherwise as `messages.py`, and under its test.

What a vendor itself said, and what only a rare answer brings about, stays in English and is marked as that.
"""

from __future__ import annotations

TEMPLATES: tuple[str, ...] = (
    # Connection checks
    "Connected to Campaign Monitor; the client has %(lists)s lists.",
    "Connected to Dotdigital (%(region)s).%(more)s",
    "Connected to Iterable (%(center)s); %(lists)s lists can be written to.",
    "Connected to Omnisend%(brand)s.",
    "%(vendor)s could not be reached: check the network and try again.",
    "%(vendor)s limits the rate at the moment: try again in a minute.",
    "Something answers that is not %(vendor)s: check the network and try again.",
    "Campaign Monitor does not know this API key: copy it again from Account settings, API keys.",
    "Campaign Monitor does not allow this connection to do that: use an API key, or sign in as somebody, that may "
    "manage lists and subscribers.",
    "This connection does not reach the client that it names, or that client does not exist.",
    "Dotdigital does not accept this API user and password: check both, and that the API user is enabled.",
    "Dotdigital does not allow this API user to do that: check its permissions, and that the account is migrated to "
    "unified contacts (API v3).",
    "Iterable does not know this API key: check that it is complete, and that the data centre is right.",
    "Iterable does not allow this API key to do that: give the connection a Standard key.",
    "This API key is made for apps or web pages: give the connection a server-side (Standard) key.",
    "This API key is disabled or lacks privileges: check it in Iterable.",
    "This API key belongs to the %(center)s data centre: change the data centre setting.",
    "Omnisend does not know this API key: check that it is complete, and that nobody deleted it in Omnisend.",
    "The API key lacks %(lacking)s: make a key in Omnisend with %(needed)s, and give the connection that.",
    "%(vendor)s no longer accepts the sign-in of this connection: it was revoked there, or replaced. An administrator "
    "has to choose 'Authenticate with %(label)s' on the connection; the next run then goes on.",
    # Why people were not taken
    "%(vendor)s does not accept the e-mail address.",
    "Campaign Monitor does not accept the e-mail address: correct it at its source.",
    "Omnisend does not accept the e-mail address: correct it where the segment comes from.",
    "The person was not on the list any more.",
    "The person has yet to confirm that they want to be on the list.",
    "The person is on the client's suppression list in Campaign Monitor and is left as they are.",
    "The person unsubscribed in Campaign Monitor and stays so until they subscribe again.",
    "Mail to this address bounced, so Campaign Monitor keeps it aside: correct it at its source.",
    "Somebody deleted this person from the list in Campaign Monitor and is not overruled: add them there by hand.",
    "Campaign Monitor does not accept the mobile number: correct it.",
    "The person unsubscribed from this list in Dotdigital, and is left alone.",
    "Dotdigital keeps this address from being mailed (suppressed), and it is left alone.",
    "The address belongs to more than one contact in Dotdigital: merge them there.",
    "A value does not fit its data field in Dotdigital.",
    "Dotdigital does not accept the contact: check its values.",
    "The contact had been deleted in Dotdigital.",
    "Dotdigital did not say what became of this person.",
    "The person asked Iterable to be forgotten.",
    "The profile was deleted in Iterable.",
    "The address collides with another profile in Iterable.",
    "Iterable does not know this person and did not add them.",
    "Iterable does not know this person any more, so they are not on the list.",
    "A value does not fit its field in Iterable.",
    "The value of %(field)s is not %(type)s, which is the field's type in Iterable.",
    "Omnisend could not write this person: the next run tries again.",
    "The address belongs to another contact in Omnisend: merge the two there.",
    "Omnisend refuses this person.",
    "Omnisend refuses this person: %(why)s",
    "A request with this person in it was refused. %(why)s",
    # What people should know of a list
    "The list %(list)s does not exist in %(vendor)s.",
    "The list is confirmed opt-in: Campaign Monitor sends everyone who is added an e-mail, and they get no campaigns "
    "before they confirm. Choose a single opt-in list to avoid that.",
    "The list has no field %(field)s, so its values were left out.",
    "Values of %(field)s were cut to %(length)s characters.",
    "Mobile numbers that are not international, such as +441632960000, were left out.",
    "The Dotdigital account has no data field %(field)s: make it there, switch on 'Create missing data fields' for "
    "this export, or take it out of the data matching.",
    "Made the data fields %(fields)s in Dotdigital.",
    "Iterable has more lists of this name (%(lists)s); the oldest, %(list)s, is used.",
    "The tag in Omnisend is '%(tag)s'. Automations there that wait for this tag start for everyone added.",
    "Contacts in Omnisend have the tag '%(tag)s' already: those outside the segment keep it.",
    "Omnisend knows the genders m and f only: other values were left out.",
    # What the vendor showed after a delivery
    "A newer run came before this one was verified.",
    "%(vendor)s offers no way to verify this %(target)s.",
    "%(people)s people on the %(target)s are not from this export.%(more)s",
    "%(people)s people have unsubscribed or bounced in %(vendor)s since they were put there.",
    # Which account a connection leads to
    "The key is new, and %(vendor)s does not tell to which account it belongs. Say whether it is the same account with "
    "a new key, or another account. Until then the exports on this connection do not run.",
    "This is another account at %(vendor)s than the one that the exports have their lists in. Give the connection what "
    "leads to that one, or take over the new account. Until then the exports on this connection do not run.",
    "The connection '%(name)s' leads to another account, or has a new key: an administrator says which on its page.",
    "The connection leads to another account than the one that this export's list is in. If it is the same account "
    "with a new key, check the connection with same_account=true; else save the export again, which starts a new list "
    "there. Then run the export again.",
    # What keeps runs from going on
    "%(rows)s have no valid address, limit %(limit)s",
    "A newer snapshot was not used: %(why)s.",
    "No progress for %(hours)s hours: %(why)s Run the export again later.",
    "The list belongs to the export '%(export)s' now: give this export a list of its own.",
    "There is no connection '%(name)s': create it, or choose another.",
)
