// A tag's whole life with Mailchimp's own library for Node.js: node mailchimp_walk.mjs URL.

import { createHash } from "node:crypto";
import mailchimp from "@mailchimp/mailchimp_marketing";
import { awaited, refused, step } from "./steps.mjs";

const AUDIENCE = "57afe96172";
const PEOPLE = ["ana@example.com", "bo@example.com", "cy@example.com"];
const api = client("0123456789abcdef0123456789abcdef-us6");

// The library gives out one client, and its kind by that one only.
function client(apiKey) {
  const made = new mailchimp.constructor();
  made.basePath = `${process.argv[2]}/us6/3.0`;
  made.setConfig({ apiKey, server: "us6" });
  return made;
}

function hash(address) {
  return createHash("md5").update(address).digest("hex");
}

function row(address, status, fields) {
  return { email_address: address, status, merge_fields: fields };
}

step("ping", (await api.ping.get()).health_status, "Everything's Chimpy!");
const account = await api.root.getRoot({ fields: ["account_id"] });
step("account", account.account_id, "8d3a3db4d97663a9074efcc16");
const audiences = (await api.lists.getAllLists({ count: 1000, fields: ["lists.id", "lists.name", "total_items"] })).lists;
step("audiences", audiences.map((each) => each.id), [AUDIENCE]);
step("double opt-in", (await api.lists.getList(AUDIENCE)).double_optin, false);

const field = { tag: "TIER", name: "Tier", type: "text", required: false, public: false };
step("a merge field is made", (await api.lists.addListMergeField(AUDIENCE, field)).tag, "TIER");
const fields = (await api.lists.getListMergeFields(AUDIENCE, { count: 1000 })).merge_fields;
step("merge fields", fields.map((each) => each.tag), ["FNAME", "LNAME", "ADDRESS", "PHONE", "TIER"]);

const named = { name: "Loyal customers", static_segment: [] };
const tag = (await api.lists.createSegment(AUDIENCE, named)).id;
const byName = (await api.lists.tagSearch(AUDIENCE, { name: "Loyal" })).tags;
step("the tag is found by name", byName.map((each) => each.id), [tag]);
const segments = (await api.lists.listSegments(AUDIENCE, { type: "static", count: 1000 })).segments;
step("and among all", segments.map((each) => each.id), [tag]);

const members = PEOPLE.map((address) => row(address, "subscribed", { FNAME: "Someone", TIER: "Gold" }));
const body = { members, update_existing: false, sync_tags: false };
const made = await api.lists.batchListMembers(AUDIENCE, body, { skipMergeValidation: true });
step("people made", [made.total_created, made.error_count], [3, 0]);
const again = await api.lists.batchListMembers(AUDIENCE, body);
const codes = [...new Set(again.errors.map((each) => each.error_code))];
step("made again, they exist", [again.total_created, codes], [0, ["ERROR_CONTACT_EXISTS"]]);

const adding = { members_to_add: [...PEOPLE, "nobody@example.com"] };
const tagged = await api.lists.batchSegmentMembers(adding, AUDIENCE, tag);
step("people tagged", [tagged.total_added, tagged.error_count], [3, 0]);
step("count", (await api.lists.getSegment(AUDIENCE, tag)).member_count, 3);
const all = { count: 1000, includeTransactional: true };
const withTag = (await api.lists.getSegmentMembersList(AUDIENCE, tag, all)).members;
step("people with the tag", withTag.map((each) => each.email_address).sort(), PEOPLE);
const one = await api.lists.getListMember(AUDIENCE, hash("ana@example.com"));
step("a value is read back", [one.status, one.merge_fields.TIER], ["subscribed", "Gold"]);

const nothing = { merge_fields: { TIER: "" } };
const cleared = await api.lists.updateListMember(AUDIENCE, hash("ana@example.com"), nothing);
step("nothing clears", [cleared.status, cleared.merge_fields.TIER], ["subscribed", ""]);
const put = { email_address: "dee@example.com", status_if_new: "transactional" };
const dee = await api.lists.setListMember(AUDIENCE, hash("dee@example.com"), put);
step("a put makes somebody", dee.status, "transactional");
await api.lists.updateListMember(AUDIENCE, hash("cy@example.com"), { status: "unsubscribed" });
const gone = (await api.lists.getListMembersInfo(AUDIENCE, { status: "unsubscribed", count: 1000 })).members;
step("who unsubscribed", gone.map((each) => each.email_address), ["cy@example.com"]);
step("active people with the tag", (await api.lists.getSegment(AUDIENCE, tag)).member_count, 2);

const path = `/lists/${AUDIENCE}/members/${hash("bo@example.com")}`;
const patch = JSON.stringify({ merge_fields: { FNAME: "Bo" } });
const operations = [{ method: "PATCH", path, operation_id: "0", body: patch }];
const started = await api.batches.start({ operations });
const batch = await awaited("the batch", async () => {
  const found = await api.batches.status(started.id);
  return found.status === "finished" && found;
});
step("a batch", [batch.finished_operations, batch.errored_operations], [1, 0]);
step("is listed", (await api.batches.list({ count: 1000 })).batches.map((each) => each.id), [batch.id]);
const bo = await api.lists.getListMember(AUDIENCE, hash("bo@example.com"));
step("and was carried out", bo.merge_fields.FNAME, "Bo");
await api.batches.deleteRequest(batch.id);

const removing = { members_to_remove: ["ana@example.com"] };
step("people untagged", (await api.lists.batchSegmentMembers(removing, AUDIENCE, tag)).total_removed, 1);
const off = { tags: [{ name: "Loyal customers", status: "inactive" }], is_syncing: true };
await api.lists.updateListMemberTags(AUDIENCE, hash("cy@example.com"), off);
step("tags of one", (await api.lists.getListMemberTags(AUDIENCE, hash("cy@example.com"))).tags, []);
const every = { includeCleaned: true, includeTransactional: true, includeUnsubscribed: true };
const left = (await api.lists.getSegmentMembersList(AUDIENCE, tag, every)).members;
step("people left with the tag", left.map((each) => each.email_address), ["bo@example.com"]);

await refused("a tag of the same name", () => api.lists.createSegment(AUDIENCE, named), 400);
const many = { members_to_add: Array.from({ length: 501 }, (_, number) => `p${number}@example.com`) };
await refused("more than 500", () => api.lists.batchSegmentMembers(many, AUDIENCE, tag), 400);
await refused("somebody who is not there", () => api.lists.getListMember(AUDIENCE, hash("x")), 404, "Not Found");
await refused("a tag that is not there", () => api.lists.getSegment(AUDIENCE, "1"), 404, "Not Found");
await refused("an audience that is not there", () => api.lists.getList("0000000000"), 404, "Not Found");
const wrong = { members: [row("eve@example.com", "subscribed", { ADDRESS: "1 High Street" })], update_existing: false };
await refused("a value of a wrong type", () => api.lists.batchListMembers(AUDIENCE, wrong), 400, "anyOf");
await refused("a wrong key", () => client("nobody-us6").ping.get(), 401, "API Key Invalid");
const elsewhere = client("00112233445566778899aabbccddeeff-us20");
await refused("a key of another data centre", () => elsewhere.ping.get(), 403, "us20");
