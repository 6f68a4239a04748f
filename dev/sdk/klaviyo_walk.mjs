// A list's whole life with Klaviyo's own library for Node.js: node klaviyo_walk.mjs URL.

import klaviyo from "klaviyo-api";
import { awaited, refused, step } from "./steps.mjs";

const { AccountsApi, ApiKeySession, ListsApi, ProfilesApi } = klaviyo;
const PEOPLE = ["ana@example.com", "bo@example.com", "cy@example.com"];
const url = process.argv[2];

function apis(key) {
  const session = new ApiKeySession(key);
  const made = { accounts: new AccountsApi(session), lists: new ListsApi(session), profiles: new ProfilesApi(session) };
  for (const api of Object.values(made)) api.basePath = url;
  return made;
}

function row(email, attributes = {}) {
  return { type: "profile", attributes: { email, ...attributes } };
}

function job(rows, listId) {
  const relationships = listId && { lists: { data: [{ type: "list", id: listId }] } };
  return { data: { type: "profile-bulk-import-job", attributes: { profiles: { data: rows } }, relationships } };
}

const { accounts, lists, profiles } = apis("pk_AbC123_standard");

function ended(jobId) {
  return awaited("the job", async () => {
    const found = (await profiles.getBulkImportProfilesJob(jobId)).body.data.attributes;
    return ["complete", "cancelled"].includes(found.status) && found;
  });
}

step("account", (await accounts.getAccounts()).body.data[0].id, "AbC123");

const named = { data: { type: "list", attributes: { name: "Loyal customers" } } };
const listId = (await lists.createList(named)).body.data.id;
const byName = await lists.getLists({ filter: 'any(name,["Loyal customers"])' });
step("the list is found by name", byName.body.data.map((each) => each.id), [listId]);

const rows = PEOPLE.map((email) => row(email, { firstName: "Someone", properties: { Tier: "Gold", Points: 7 } }));
const accepted = (await profiles.bulkImportProfiles(job(rows, listId))).body.data;
step("the job is accepted", accepted.attributes.status, "queued");
const done = await ended(accepted.id);
step("people imported", [done.totalCount, done.failedCount], [3, 0]);
const jobs = (await profiles.getBulkImportProfilesJobs({ sort: "-created_at", pageSize: 100 })).body.data;
step("the job is among all", jobs.some((each) => each.id === accepted.id), true);

const first = (await lists.getProfilesForList(listId, { pageSize: 2 })).body;
const rest = (await lists.getProfilesForList(listId, { pageSize: 2, pageCursor: first.links.next })).body;
const members = [...first.data, ...rest.data];
step("members, in two pages", members.map((each) => each.attributes.email).sort(), PEOPLE);
step("a value is read back", members[0].attributes.properties.Tier, "Gold");
const asked = { additionalFieldsProfile: ["subscriptions"], pageSize: 100 };
const consents = (await lists.getProfilesForList(listId, asked)).body.data;
const consent = (each) => each.attributes.subscriptions.email.marketing.consent;
step("consent of all", [...new Set(consents.map(consent))], ["NEVER_SUBSCRIBED"]);
const counted = (await lists.getList(listId, { additionalFieldsList: ["profile_count"] })).body.data;
step("count", counted.attributes.profileCount, 3);

const person = (await profiles.getProfiles({ filter: 'equals(email,"ana@example.com")' })).body.data[0];
const on = (await profiles.getListIdsForProfile(person.id)).body.data;
step("one person's lists", on.map((each) => each.id), [listId]);
const changed = { data: { type: "profile", id: person.id, attributes: { lastName: "Diaz" } } };
step("a change", (await profiles.updateProfile(person.id, changed)).body.data.attributes.lastName, "Diaz");

await lists.removeProfilesFromList(listId, { data: [{ type: "profile", id: person.id }] });
const left = (await lists.getProfileIdsForList(listId, { pageSize: 100 })).body.data;
step("people after one was taken off", left.length, 2);
step("who was taken off is still a profile", (await profiles.getProfile(person.id)).body.data.id, person.id);

const failing = await profiles.bulkImportProfiles(job([row("dee@example.com"), { type: "profile", attributes: {} }]));
const failed = failing.body.data.id;
step("a row without a name fails", (await ended(failed)).failedCount, 1);
const errors = (await profiles.getErrorsForBulkImportProfilesJob(failed)).body.data;
step("and is told", errors[0].attributes.code, "invalid");
const written = (await profiles.getProfilesForBulkImportProfilesJob(failed)).body.data;
step("the others were written", written.map((each) => each.attributes.email), ["dee@example.com"]);
const writtenIds = (await profiles.getProfileIdsForBulkImportProfilesJob(failed)).body.data;
step("by id too", writtenIds.map((each) => each.id), written.map((each) => each.id));

const invalid = job([row("bad@")], listId);
await refused("an invalid address", () => profiles.bulkImportProfiles(invalid), 400, "data/0");
const unknown = job([row("ana@example.com")], "Y0");
await refused("an unknown list", () => profiles.bulkImportProfiles(unknown), 400, "lists");
await refused("a list that is not there", () => lists.getList("Y0"), 404, "not_found");
await refused("a filter that is none", () => lists.getLists({ filter: "any(name,[Loyal])" }), 400, "Invalid filter");
const stranger = { data: [{ type: "profile", id: "XYZABD" }] };
await refused("an unknown id", () => lists.removeProfilesFromList(listId, stranger), 400, "Invalid profile IDs: XYZABD");
await refused("flows without the scope", () => lists.getFlowsTriggeredByList(listId), 403, "permission_denied");
const reading = apis("pk_AbC123_reading").lists;
await refused("writing with a key that reads", () => reading.createList(named), 403, "permission_denied");
await refused("a wrong key", () => apis("pk_nobody").accounts.getAccounts(), 401, "authentication_failed");
const flows = (await apis("pk_AbC123_flows").lists.getFlowsTriggeredByList(listId)).body.data;
step("flows that the list starts", flows, []);
